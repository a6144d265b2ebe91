"""How long a test waits for its clean database, beside other ways to get one, on this repository's own project."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo

from supalocal.testing.snapshot import Snapshot
from tests.bench.report import say, spread, told
from tests.bench.server import ROOT, running

ROUNDS = 20
_TABLES = """
select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables
where schemaname in ('public', 'private', 'auth')
"""


async def run() -> bool:
    """Write what a small test writes, and clean up in each way by turns."""
    times: dict[str, list[float]] = {"restored": [], "truncated": [], "from a template": []}
    async with running("--memory", "--no-seed", project=ROOT) as server:
        url = server.facts["ADMIN_DB_URL"]
        elsewhere = make_conninfo(url, dbname="template1")
        with (
            Snapshot(url) as snapshot,
            psycopg.connect(url, autocommit=True) as database,
            psycopg.connect(elsewhere, autocommit=True) as templates,
        ):
            (tables,) = database.execute(_TABLES).fetchone() or ("",)
            templates.execute("create database clean")
            ways: dict[str, Callable[[], object]] = {
                "restored": snapshot.restore,
                "truncated": lambda: database.execute(f"truncate {tables}"),
                "from a template": lambda: templates.execute(f"create database test_{uuid4().hex} template clean"),
            }
            for _ in range(ROUNDS):
                for name, clean in ways.items():
                    write(database)
                    begun = time.perf_counter()
                    clean()
                    times[name].append((time.perf_counter() - begun) * 1_000)
                    snapshot.restore()
    for name, measured in times.items():
        say(f"      {name:16} lowest / median / highest ms: {spread(measured)}")
    told("truncating, times restoring", median(times["truncated"]) / median(times["restored"]), "")
    told("an empty template, times restoring", median(times["from a template"]) / median(times["restored"]), "")
    return True


def write(database: psycopg.Connection) -> None:
    """A session, its participants and a few messages."""
    row = database.execute("select id, code from create_session(gen_random_uuid())").fetchone()
    assert row is not None
    user = uuid4()
    database.execute("select join_session(%s, %s, 'en')", [row[1], user])
    for _ in range(5):
        database.execute("select send_message(gen_random_uuid(), %s, %s, 'a word', 'en', 'es')", [row[0], user])
