"""Fills a database, and shows that every statement finds its rows by an index and stays as quick as in a small one."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from textwrap import indent

import psycopg
from psycopg.conninfo import make_conninfo

from tests.scale.plans import Plans, outline
from tests.scale.statements import STATEMENTS, Statement
from tests.scale.timing import LIMIT, Times, compare, run
from tests.stress.server import ROOT, prepared

FILL = Path(__file__).with_name("fill.sql")
SMALL = 100  # times smaller
# plpgsql plans a statement for its values five times, then once for all.
RUNS_TO_SEE_EVERY_PLAN = 12


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/scale", description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000, help="(default: %(default)s)")
    parser.add_argument("--messages", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument("--activity", type=int, default=50_000, help="rows of user_activity (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="which rows the statements are about (default: %(default)s)"
    )
    parser.add_argument("--plans", type=Path, metavar="DIR", help="write every plan at full size there, as JSON")
    parser.add_argument("--lenient", action="store_true", help="fail for plans alone, not for a ratio over 2")
    parser.add_argument("--list", action="store_true", help="only name the statements")
    parser.add_argument("--project", type=Path, default=ROOT, help="where the supabase/ folder is (default: here)")
    options = parser.parse_args()
    if options.list:
        say("\n".join(statement.name for statement in STATEMENTS))
        return 0
    if min(options.sessions, options.messages / 10, options.activity * 2) < SMALL * 1_000:
        parser.error(
            "at least --sessions 100000 --messages 1000000 --activity 50000: a hundredth must still be a database"
        )
    return asyncio.run(scale(options))


async def scale(options: argparse.Namespace) -> int:
    """Return the exit code."""
    async with prepared(project=options.project) as server:
        full = server.admin
        small = make_conninfo(full, dbname="small")
        with psycopg.connect(make_conninfo(full, dbname="template1"), autocommit=True) as connection:
            connection.execute("create database small template postgres")
        for conninfo, share in ((small, SMALL), (full, 1)):
            say(fill(conninfo, options, share))
        say(f"      {'median ms at':32}{'1 %':>8}{'100 %':>8}{'ratio':>7}  indexes")
        results = [check(statement, small, full, options) for statement in STATEMENTS]
    say(f"{sum(results)} of {len(results)} statements hold." if not all(results) else "Every statement holds.")
    return 0 if all(results) else 1


def fill(conninfo: str, options: argparse.Namespace, share: int) -> str:
    """Fill that database with a share of everything and say how it went."""
    start = time.monotonic()
    sizes = {name: getattr(options, name) // share for name in ("sessions", "messages", "activity")}
    with psycopg.connect(conninfo, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(FILL.read_text(), sizes)
        connection.execute("vacuum analyze")
    return (
        f"Filled {', '.join(f'{number:,} {name}' for name, number in sizes.items())}: {time.monotonic() - start:.0f} s"
    )


def check(statement: Statement, small: str, full: str, options: argparse.Namespace) -> bool:
    """Say how the statement does at both sizes, and why if it does not hold."""
    plans = Plans()
    with connected(full, statement.role, plans) as connection:
        for number in range(RUNS_TO_SEE_EVERY_PLAN):
            run(statement, connection, Random(number))  # noqa: S311  choices, no secrets
    if options.plans:
        options.plans.mkdir(parents=True, exist_ok=True)
        (options.plans / f"{statement.name.replace(', ', '-')}.json").write_text(json.dumps(plans.seen, indent=2))
    with ExitStack() as opened:
        connections = [opened.enter_context(connected(conninfo, statement.role)) for conninfo in (small, full)]
        times = compare(statement, *connections, options.seed)
    return judge(statement, plans, times, is_lenient=options.lenient)


def judge(statement: Statement, plans: Plans, times: Times, *, is_lenient: bool) -> bool:
    failures, slow = [], []
    if plans.sequential:
        plan = plans.sequential[0]
        failures.append(f"reads a growing table from its start: {plan['Query Text'].strip()}\n{outline(plan['Plan'])}")
    if times.ratio > LIMIT:
        (slow if is_lenient else failures).append(
            f"takes {times.ratio:.1f} times as long as in the small database; at most {LIMIT:g} is expected"
        )
    mark = "FAIL" if failures else "slow" if slow else "ok  "
    say(f"{mark}  {statement.name:32}{times.small:8.2f}{times.full:8.2f}{times.ratio:7.2f}  {', '.join(plans.indexes)}")
    for failure in failures + slow:
        say(indent(failure, " " * 6))
    return not failures


@contextmanager
def connected(conninfo: str, role: str, plans: Plans | None = None) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if plans is not None:
            plans.watch(connection)
        connection.execute(f"set role {role}")
        yield connection


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
