"""The drill: scripts/backup and scripts/restore between two databases on the stack's server, and what both refuse."""

import asyncio
import os
import re
import runpy
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from support import servers
from support.cli import Cli

import supalocal
from babelroom import Babelroom
from supalocal.server.installation import Installation

HELLO = ["Good morning!", "a\ttab, a \\. and a\nnew line", "¿Qué tal? 👋🏽", "Is this seat free?", "Goodbye"]
SCHEMAS = ["public", "private", "supabase_migrations"]


@dataclass(frozen=True)
class Backup:
    """A file, the project that it was made of, and what the script said."""

    file: Path
    source: supalocal.Stack
    said: str


@dataclass(frozen=True)
class Restored:
    """A project that was empty, and its rows as the restore left them."""

    stack: supalocal.Stack
    rows: dict
    said: str


@contextmanager
def project(stack, name, folder=None):
    """A project of its own on the stack's server, with which it goes; without a folder as empty as a new hosted one."""
    with psycopg.connect(stack.admin_db_url, autocommit=True) as admin:
        admin.execute(f"create database {name}")
    url = urlsplit(stack.admin_db_url)._replace(path=f"/{name}").geturl()
    with supalocal.Stack(folder, db_url=url, seed=False, cron=False).running() as running:
        yield running


def converse(url):
    """Fill every table."""
    with psycopg.connect(url, autocommit=True) as database:
        sessions = [database.execute("select id, code from create_session()").fetchone() for _ in range(3)]
        for session, code in sessions:
            users = uuid4(), uuid4()
            for user, lang in zip(users, ("en", "es"), strict=True):
                database.execute("select join_session(%s, %s, %s)", [code, user, lang])
            for text in HELLO:
                database.execute("select send_message(gen_random_uuid(), %s, %s, %s, 'en')", [session, users[0], text])
            database.execute(
                "insert into user_activity (session_id, user_id, activity_type) values (%s, %s, 'typing')",
                [session, users[1]],
            )
        claimed = database.execute("select id, token from claim_messages('drill', 3, '1 minute')").fetchall()
        database.execute("select complete_message(%s, %s, 'Hola')", claimed[0])
        database.execute("select fail_message(%s, %s, 'The translator is away.')", claimed[1])
        database.execute("select close_session(%s)", [sessions[2][0]])


def rows(url):
    """How many rows each table has, and their checksum."""
    with psycopg.connect(url) as database:
        tables = database.execute(
            "select schemaname, tablename from pg_tables where schemaname = any(%s)", [SCHEMAS]
        ).fetchall()
        summary = sql.SQL("select count(*), md5(string_agg(t::text, '|' order by t::text)) from {} t")
        return {table: database.execute(summary.format(sql.Identifier(*table))).fetchone() for table in tables}


def schema(url):
    """What pg_dump tells about the whole database but its rows, a statement each."""
    command = [Installation.find().program("pg_dump"), "--schema-only", "--dbname", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = re.sub(r"^(--|\\).*\n", "", text, flags=re.MULTILINE)
    # Postgres itself writes the casts of a check in another way once it has read them back.
    checks = re.compile(r"CONSTRAINT \w+ CHECK .*")
    return checks.sub(lambda check: re.sub(r"::(text|character varying)|[]()[]", "", check[0]), text).split(";\n")


@pytest.fixture(scope="module")
def run(root):
    """Runs one of the two scripts as a user does."""

    def run(name, url, file):
        command = [root / "scripts" / name, "--db-url", url, file]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def backup(stack, root, run, tmp_path_factory):
    """A backup of a project where people talk."""
    with project(stack, "drill_source", root) as source:
        converse(source.db_url)
        file = tmp_path_factory.mktemp("backup") / "babelroom.dump"
        done = run("backup", source.db_url, file)
        assert done.returncode == 0, done.stderr
        yield Backup(file, source, done.stdout)


@pytest.fixture(scope="module")
def restored(stack, run, backup):
    """An empty project that the backup was restored into."""
    with project(stack, "drill_target") as target:
        done = run("restore", target.db_url, backup.file)
        assert done.returncode == 0, done.stderr
        yield Restored(target, rows(target.db_url), done.stdout)


@pytest.fixture(scope="module")
def empty(stack):
    """An empty project that stays empty."""
    with project(stack, "drill_empty") as target:
        yield target


def test_a_backup_is_one_private_file(backup):
    """Only its owner can read it, nothing else is left beside it, and the script says what it holds."""
    assert list(backup.file.parent.iterdir()) == [backup.file]
    assert backup.file.stat().st_mode & 0o777 == 0o600
    assert f"{backup.file} holds {len(rows(backup.source.db_url))} tables" in backup.said


def test_every_row_comes_back_as_it_was(backup, restored):
    """With its seq, rev and stamps: no trigger touched it, and no table was left out."""
    before = rows(backup.source.db_url)
    assert restored.rows == before
    assert [name for (_, name), (count, _) in before.items() if not count] == ["seed_files"]


def test_the_whole_schema_comes_back(backup, restored):
    """Functions, triggers, policies, comments, what is published, and grants without those that are the default."""
    assert schema(restored.stack.db_url) == schema(backup.source.db_url)


async def test_a_conversation_goes_on_where_it_stopped(restored):
    """The next message takes the next rev of its session, and Realtime tells it."""
    with psycopg.connect(restored.stack.db_url, autocommit=True) as database:
        [session, code, rev] = database.execute(
            "select s.id, s.code, r.rev from sessions s join private.session_revisions r on r.session_id = s.id"
            " where s.is_active order by r.rev limit 1"
        ).fetchone()
    arrived = asyncio.Queue()
    async with Babelroom.connect(url=restored.stack.url, key=restored.stack.publishable_key) as room:
        await room.messages.subscribe_to_messages(session, arrived.put_nowait)
        sent = await room.messages.create_message(session, uuid4(), "Where were we?", "en", "es")
        told = await asyncio.wait_for(arrived.get(), 10)
        assert (sent.seq, sent.rev, told.id) == (rev + 1, rev + 1, sent.id)
        assert await room.sessions.session_exists(code)


def test_the_cli_has_nothing_to_push(root, restored, tmp_path):
    """The migration history came along."""
    program = Cli.find()
    if program is None:
        pytest.skip("needs the Supabase CLI (npm package supabase) in SUPABASE_CLI_PATH")
    assert "up to date" in Cli(program, root, tmp_path).push(restored.stack.db_url)


def test_the_clean_up_jobs_are_scheduled_again(restored):
    """Though pg_cron keeps them outside this project's schemas."""
    with psycopg.connect(restored.stack.db_url) as database:
        scheduled = database.execute("select bool_and(is_scheduled) from cleanup_status()").fetchone()
        can_be = database.execute("select to_regnamespace('cron') is not null").fetchone()
    assert scheduled == can_be
    assert restored.said.endswith("The clean-up jobs are scheduled.\n") == can_be[0]


def test_the_clean_up_jobs_are_scheduled_with_the_real_pg_cron(backup, run):
    """On another server."""
    try:
        if not servers.has_cron(servers.installation(15)):
            pytest.skip("needs Debian's postgresql-15-cron")
    except servers.ServerMissing as missing:
        pytest.skip(str(missing))
    with servers.running(15) as server:
        done = run("restore", server.url(), backup.file)
        assert done.stdout.endswith("The clean-up jobs are scheduled.\n"), done.stderr
        with psycopg.connect(server.url()) as database:
            jobs = database.execute("select job from cleanup_status() where not is_scheduled").fetchall()
        assert jobs == []


def test_a_file_is_never_overwritten(backup, run, tmp_path):
    """Whatever it holds."""
    file = tmp_path / "precious"
    file.write_text("precious")
    done = run("backup", backup.source.db_url, file)
    assert (done.returncode, file.read_text()) == (1, "precious")
    assert "exists already" in done.stderr


def test_another_database_is_not_backed_up(empty, run, tmp_path):
    """A backup without the conversations would be found out too late."""
    done = run("backup", empty.db_url, tmp_path / "a.dump")
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "has no public.sessions" in done.stderr


def test_a_failed_backup_leaves_nothing(backup, run, tmp_path):
    """As for a role that may not read the tables."""
    done = run("backup", backup.source.db_url.replace("postgres:", "authenticator:", 1), tmp_path / "a.dump")
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "permission denied" in done.stderr


@contextmanager
def waiting_backup(source, root, file):
    """A backup whose pg_dump waits for a table that somebody has locked."""
    waits = "select count(*) from pg_stat_activity where application_name = 'pg_dump' and wait_event_type = 'Lock'"
    with psycopg.connect(source.db_url) as locking, psycopg.connect(source.db_url, autocommit=True) as watching:
        locking.execute("lock table public.messages")
        environment = os.environ | {"SUPABASE_DB_URL": source.db_url}
        with subprocess.Popen([root / "scripts" / "backup", file], env=environment) as process:
            while watching.execute(waits).fetchone() == (0,):
                assert process.poll() is None
            yield process
            process.terminate()


def test_a_backup_that_is_stopped_leaves_nothing(backup, root, tmp_path):
    """Not even the beginning of a file."""
    with waiting_backup(backup.source, root, tmp_path / "a.dump") as process:
        assert list(tmp_path.rglob("a.dump")) != []
    assert (process.returncode, list(tmp_path.iterdir())) == (143, [])


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_list_of_processes_shows_the_password(backup, root, tmp_path):
    """Neither the script's own line, given SUPABASE_DB_URL, nor that of pg_dump."""
    with waiting_backup(backup.source, root, tmp_path / "a.dump") as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (process.pid, *children)]
    assert b"pg_dump" in lines[1]
    assert [line for line in lines if b"postgres:postgres" in line or b"password" in line.lower()] == []


def test_a_project_in_use_is_not_restored_into(backup, run):
    """It stays as it is."""
    before = rows(backup.source.db_url)
    done = run("restore", backup.source.db_url, backup.file)
    assert (done.returncode, rows(backup.source.db_url)) == (1, before)
    assert "public.sessions" in done.stderr
    assert "A backup is restored into an empty project only" in done.stderr


def test_a_missing_file_is_said(empty, run, tmp_path):
    """By its name."""
    done = run("restore", empty.db_url, tmp_path / "nowhere.dump")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "nowhere.dump is not there" in done.stderr


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_truncated_file_restores_nothing(share, backup, empty, run, tmp_path):
    """Wherever it ends."""
    before = rows(empty.db_url)
    whole = backup.file.read_bytes()
    file = tmp_path / "truncated.dump"
    file.write_bytes(whole[: int(len(whole) * share)])
    done = run("restore", empty.db_url, file)
    assert (done.returncode, rows(empty.db_url)) == (1, before)
    assert "Nothing was written" in done.stderr


def test_what_stands_in_the_way_undoes_the_whole_restore(backup, stack, run):
    """A function that the project already has: no table is left behind."""
    with project(stack, "drill_taken") as target, psycopg.connect(target.db_url, autocommit=True) as database:
        database.execute(
            "create function send_message(uuid, uuid, uuid, text, text, text, interval) returns int return 1"
        )
        before = schema(target.db_url)
        done = run("restore", target.db_url, backup.file)
        assert (done.returncode, schema(target.db_url)) == (1, before)
        assert 'function "send_message" already exists' in done.stderr


@pytest.mark.parametrize("password", ["s3cr3t", "s3cr3t@s3cr3t", "s3cr3t/s3cr3t", "s3cr3t?s3cr3t", "s3cr3t%"])
def test_a_password_is_never_shown(password, run, tmp_path):
    """Also where it was not percent-encoded and is taken for another part of the URL."""
    done = run("backup", f"postgresql://postgres:{password}@127.0.0.1:1/postgres", tmp_path / "a.dump")
    assert done.returncode == 1
    assert "s3c" not in done.stdout + done.stderr


def test_an_old_pg_dump_is_said(root):
    """With the version that is needed."""
    find_programs = runpy.run_path(str(root / "scripts" / "dump.py"))["find_programs"]
    with pytest.raises(SystemExit, match="runs Postgres 99: install its client programs"):
        find_programs(99)
