"""The CLI and supalocal leave the same database behind."""

import subprocess

import psycopg
import pytest
from support.servers import SUPERUSER

HISTORY = "select version, name, statements from supabase_migrations.schema_migrations order by version"
PUBLISHED = "select schemaname, tablename, attnames, rowfilter from pg_publication_tables where pubname = %s order by 2"


@pytest.fixture(scope="module")
def dump(debian):
    """The definitions of both schemas: tables, functions, policies, triggers, grants and comments."""

    def dump(database):
        command = [debian.program("pg_dump"), "--schema-only", "--schema=public", "--schema=private"]
        # Without a key of its own each dump carries a random one.
        command += ["--restrict-key=same", debian.url(SUPERUSER, database)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    return dump


def rows(url, query, *values):
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchall()


def test_the_schemas_are_identical(dump, pushed, by_supalocal):
    """Line by line, whether pg_cron was there or not."""
    assert pushed
    assert by_supalocal
    by_cli = dump("postgres")
    assert any("CREATE TABLE public.messages" in line for line in by_cli)
    assert dump("by_supalocal") == by_cli


def test_the_same_tables_are_published(pushed, by_supalocal):
    """With the same columns."""
    by_cli = rows(pushed, PUBLISHED, "supabase_realtime")
    assert len(by_cli) == 3
    assert rows(by_supalocal, PUBLISHED, "supabase_realtime") == by_cli


def test_the_histories_are_identical(pushed, by_supalocal):
    """So that either can go on where the other stopped."""
    assert rows(by_supalocal, HISTORY) == rows(pushed, HISTORY)


def test_the_cli_has_nothing_to_do_after_supalocal(supabase_cli, by_supalocal):
    """It takes supalocal's history for its own."""
    assert "Remote database is up to date." in supabase_cli.push(by_supalocal)
