"""Runs the concurrency scenarios, each several times, on a server of its own."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import secrets
import sys
import time
from pathlib import Path
from random import Random

from tests.stress import claims, codes, joins, kills, restarts, soak, streams, teams, typists, writers
from tests.stress.checks import Failed
from tests.stress.load import SHORT, Load
from tests.stress.server import ROOT, Server, prepared

SCENARIOS = {
    "joins": joins,
    "codes": codes,
    "writers": writers,
    "claims": claims,
    "typists": typists,
    "soak": soak,
    "streams": streams,
    "restarts": restarts,
    "kills": kills,
    "teams": teams,
}
LASTING = (soak, streams, restarts, kills, teams)


def main() -> int:
    options = parsed()
    load = SHORT if options.short else Load()
    if options.seconds is not None:
        load = dataclasses.replace(load, seconds=options.seconds, soak_seconds=options.seconds)
    names = options.scenarios or list(SCENARIOS)
    return asyncio.run(stress(names, load, options))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/stress",
        description=__doc__,
        epilog="\n".join(f"{name:10}{scenario.__doc__}" for name, scenario in SCENARIOS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="NAME", help="which scenarios; all of them without a name")
    parser.add_argument("--times", type=int, default=20, help="how often each runs (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="ask less of each, as CI does")
    parser.add_argument("--seconds", type=float, help="how long typists and soak last; writers take a third of it")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeat a run's choices")
    parser.add_argument("--project", type=Path, default=ROOT, help="where the supabase/ folder is (default: here)")
    parser.add_argument("--server-log", type=Path, help="keep it there; it names the statements of a deadlock")
    parser.add_argument("--db-url", help="a superuser's URL of an empty database, instead of a server of its own")
    options = parser.parse_args()
    if options.times < 1:
        parser.error("--times is at least 1")
    if unknown := set(options.scenarios) - SCENARIOS.keys():
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    return options


async def stress(names: list[str], load: Load, options: argparse.Namespace) -> int:
    """Return the exit code."""
    failures = 0
    async with prepared(options.db_url, options.project, options.server_log) as server:
        version = (await server.execute("show server_version"))[0]["server_version"]
        say(f"Postgres {version}, seed {options.seed}")
        runs = [(name, options.seed + number) for name in names for number in range(times(name, options))]
        for name, number in runs:
            failures += not await passes(name, server, number, load)
    say(f"{failures} of {len(runs)} runs failed" if failures else "Every check held.")
    return min(failures, 1)


def times(name: str, options: argparse.Namespace) -> int:
    """How often the scenario runs; one that lasts, once."""
    return 1 if SCENARIOS[name] in LASTING else int(options.times)


async def passes(name: str, server: Server, seed: int, load: Load) -> bool:
    """Run the scenario once and say how it went. `--times 1 --seed` with the seed of a line repeats its choices."""
    start = time.monotonic()
    await server.execute("truncate public.sessions cascade")
    try:
        summary = await SCENARIOS[name].run(server, Random(seed), load)  # noqa: S311  choices, no secrets
    except* Failed as failed:
        summary = "\n      ".join(map(str, failed.exceptions))
        mark = "FAIL"
    else:
        mark = "ok  "
    say(f"{mark}  {name:8} {time.monotonic() - start:5.1f} s  seed {seed}  {summary}")
    return mark == "ok  "


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
