"""The scheduler: sleeps until the next job is due or the jobs have changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

import psycopg

from supalocal.cron import journal
from supalocal.cron.clock import Clock, SystemClock
from supalocal.cron.run import Runner
from supalocal.cron.runs import Runs
from supalocal.cron.timetable import Timetable
from supalocal.notifications import notified

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from psycopg import AsyncConnection

_log = logging.getLogger(__name__)
_PAUSE = 1.0  # seconds before another attempt to listen, or to take over from another stack


class Cron:
    """Runs a database's jobs between start() and close(), if pg_cron's interface there is the stand-in.

    `admin` is a superuser's connection string to the database that holds cron.job; a job logs in with `login`, as its
    owner and to its own database.
    """

    def __init__(self, *, admin: str, login: str, clock: Clock | None = None) -> None:
        self._admin = admin
        self._clock = clock or SystemClock()
        self._timetable = Timetable()
        self._runs = Runs(Runner(admin, login, self._clock), self._timetable.job)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, without waiting for the database."""
        self._task = asyncio.create_task(self._serve())

    async def close(self) -> None:
        """Stop; statements of jobs that run are cancelled, and their runs noted as failed."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._runs.close()

    async def _serve(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._admin, autocommit=True) as connection:
                    if await journal.is_real(connection):
                        return
                    await self._schedule(connection)
            except psycopg.Error as exc:
                _log.warning("lost the connection that watches cron.job: %s", exc)
            await asyncio.sleep(_PAUSE)

    async def _schedule(self, connection: AsyncConnection[Any]) -> None:
        while not await journal.claim(connection):  # noqa: ASYNC110  another stack's end is no event here
            await asyncio.sleep(_PAUSE)
        await connection.execute(journal.LISTEN)
        await journal.end_interrupted(connection)
        await self._look(connection)
        for job in self._timetable.at_start():
            self._runs.add(job)
        while True:
            await _first(notified(connection), self._clock.wait(self._timetable.next_due()))
            await self._look(connection)
            for job in self._timetable.take_due(self._clock.now()):
                self._runs.add(job, at_most=1 if self._timetable.is_interval(job) else None)

    async def _look(self, connection: AsyncConnection[Any]) -> None:
        self._timetable.update(await journal.jobs(connection), self._clock.now())
        self._runs.drop_inactive()


async def _first(*waits: Coroutine[Any, Any, None]) -> None:
    """Return when one of them does; what that one raises is raised."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
