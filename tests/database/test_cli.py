"""The Supabase CLI applies the migrations and finds no fault with them, on a server like a hosted project's."""

import re
import tomllib
from pathlib import Path

import psycopg
import pytest

ADVISORS = Path(__file__).with_name("advisors.toml")
FAULTY = "create function public.faulty() returns int language plpgsql as 'begin return nothing; end'"


def migrations(root):
    return sorted((root / "supabase" / "migrations").glob("*.sql"))


def lint(supabase_cli, url):
    """What `db lint` finds in our schemas."""
    return supabase_cli.ask("db", "lint", "--schema=public,private", "--level=warning", f"--remote={url}")["results"]


def test_a_push_applies_every_migration(first_push, root):
    """To an empty project, in order."""
    applied = re.findall(r"^Applying migration (.*)\.\.\.$", first_push, re.MULTILINE)
    assert applied == [path.name for path in migrations(root)]


def test_it_needs_no_superuser(hosted):
    """As on hosted, `postgres` is none."""
    assert hosted.execute("select current_user, current_setting('is_superuser')").fetchone() == ("postgres", "off")


def test_a_second_push_has_nothing_to_do(supabase_cli, pushed):
    """And says so."""
    assert "Remote database is up to date." in supabase_cli.push(pushed)


def test_the_migration_list_agrees(supabase_cli, pushed, root):
    """Every file is recorded, and nothing else."""
    listed = supabase_cli.ask("migration", "list", f"--remote={pushed}")["migrations"]
    versions = [path.name.partition("_")[0] for path in migrations(root)]
    assert [(row["local"], row["remote"]) for row in listed] == [(version, version) for version in versions]


def test_lint_finds_nothing(supabase_cli, debian, pushed):
    """In the functions of both schemas."""
    debian.install("plpgsql_check")
    assert lint(supabase_cli, pushed) == []


def test_lint_would_find_a_fault(supabase_cli, debian):
    """So that finding nothing means something."""
    url = debian.create("linted")
    debian.install("plpgsql_check", database="linted")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FAULTY)
    assert [found["function"] for found in lint(supabase_cli, url)] == ["public.faulty"]


def test_the_trigger_functions_are_clean_too(debian, hosted):
    """The CLI leaves them out; plpgsql_check looks at each with the table that it serves."""
    debian.install("plpgsql_check")
    checked = hosted.execute(
        "select distinct t.tgrelid::regclass::text, p.proname, c.lineno, c.statement, c.message"
        " from pg_trigger t join pg_proc p on p.oid = t.tgfoid join pg_language l on l.oid = p.prolang"
        " left join lateral plpgsql_check_function_tb(p.oid, t.tgrelid, oldtable => t.tgoldtable,"
        " newtable => t.tgnewtable) c on true where l.lanname = 'plpgsql' and not t.tgisinternal"
        " and p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)"
    ).fetchall()
    assert checked
    assert [row for row in checked if row[-1] is not None] == []


def test_the_advisors_warn_of_what_we_allow_and_nothing_else(supabase_cli, pushed):
    """advisors.toml lists each warning; one that is no longer given must leave the list."""
    found = supabase_cli.ask("db", "advisors", "--level=warn", f"--remote={pushed}")["results"]
    allowed = tomllib.loads(ADVISORS.read_text())
    assert {warning["cacheKey"]: warning["detail"] for warning in found}.keys() == allowed.keys()


@pytest.mark.parametrize("warning", tomllib.loads(ADVISORS.read_text()).items(), ids=lambda entry: entry[0])
def test_each_allowed_warning_has_its_reason(warning):
    """A sentence."""
    assert warning[1].endswith(".")
