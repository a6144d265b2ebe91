"""Measures supalocal in processes of its own, started as its users start it, and the SDK on it."""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.bench import cleaning, delivery, idle, inserts, pipeline, roundtrips, sends, starts, streams, worker
from tests.bench.report import say

BENCHMARKS = {
    "starts": starts,
    "idle": idle,
    "inserts": inserts,
    "delivery": delivery,
    "cleaning": cleaning,
    "roundtrips": roundtrips,
    "sends": sends,
    "streams": streams,
    "pipeline": pipeline,
    "worker": worker,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        epilog="\n".join(f"{name:11}{benchmark.__doc__}" for name, benchmark in BENCHMARKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("benchmarks", nargs="*", metavar="NAME", help="which; all of them without a name")
    parser.add_argument("--lenient", action="store_true", help="fail for nothing but a run that breaks")
    options = parser.parse_args()
    if unknown := set(options.benchmarks) - BENCHMARKS.keys():
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    keeps = True
    for name in options.benchmarks or BENCHMARKS:
        say(f"\n{name}: {BENCHMARKS[name].__doc__}")
        keeps &= asyncio.run(BENCHMARKS[name].run())
    return 0 if keeps or options.lenient else 1


if __name__ == "__main__":
    sys.exit(main())
