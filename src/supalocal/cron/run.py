"""One run of a job: as its owner, in its database, noted from beginning to end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import ExecStatus

from supalocal.cron import journal

if TYPE_CHECKING:
    from psycopg import AsyncConnection, AsyncCursor

    from supalocal.cron.clock import Clock
    from supalocal.cron.timetable import Job

_CONNECT_SECONDS = 10  # pg_cron's own patience
_STOPPED = "server restarted"  # pg_cron's words for what a stop of the server cut short


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs jobs. `admin` is a superuser's connection string, `login` that of a user whose place a job's owner takes."""

    admin: str
    login: str
    clock: Clock

    async def run(self, job: Job) -> None:
        """Run the job once; cancelling cancels its statement, and the cancellation's message is noted."""
        async with await psycopg.AsyncConnection.connect(self.admin, autocommit=True) as desk:
            run = await journal.begin(desk, job)
            try:
                await self._attempt(job, run, desk)
            except asyncio.CancelledError as stop:
                reason = stop.args[0] if stop.args else _STOPPED
                await journal.end(desk, run, "failed", reason, self.clock.now())
                raise

    async def _attempt(self, job: Job, run: int, desk: AsyncConnection[Any]) -> None:
        conninfo = make_conninfo(
            self.login,
            user=job.username,
            dbname=job.database,
            connect_timeout=_CONNECT_SECONDS,
            fallback_application_name="pg_cron",
        )
        try:
            connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
        except psycopg.OperationalError:
            await journal.end(desk, run, "failed", "connection failed", None)
            return
        try:
            await journal.running(desk, run, pid=connection.info.backend_pid, start=self.clock.now())
            status, message = await _outcome(connection, job.command)
        finally:
            await connection.close()
        await journal.end(desk, run, status, message, self.clock.now())


async def _outcome(connection: AsyncConnection[Any], command: str) -> tuple[str, str]:
    try:
        cursor = await connection.execute(command.encode())
        while cursor.nextset():
            pass  # the last statement's words are kept
    except psycopg.Error as exc:
        if exc.pgresult:
            return "failed", exc.pgresult.error_message.decode()
        # Without the server's words it is the driver's own refusal, or a connection that broke.
        return "failed", "COPY not supported" if isinstance(exc, psycopg.ProgrammingError) else "connection lost"
    return "succeeded", _words(cursor)


def _words(cursor: AsyncCursor[Any]) -> str:
    """What pg_cron notes of a success: the command tag, or how many rows came back."""
    result = cursor.pgresult
    if result and result.status == ExecStatus.COMMAND_OK:
        return cursor.statusmessage or ""
    rows = result.ntuples if result else 0
    return f"{rows} row" if rows == 1 else f"{rows} rows"
