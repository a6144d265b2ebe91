"""cron.job and cron.job_run_details, as the stack reads and writes them, by a superuser's connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from supalocal.cron.timetable import Job

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import AsyncConnection

LISTEN = b"listen supalocal_cron"  # where the stand-in tells of every change of cron.job
_LOCK = 5_425_323  # any number, as long as every stack takes the same
_CLAIM = "select pg_try_advisory_lock(%s)"
_IS_REAL = rb"select current_setting('shared_preload_libraries') ~ '\mpg_cron\M'"
_IS_HERE = b"select to_regclass('cron.owned_job') is not null"
_JOBS = b"select jobid, schedule, command, database, username from cron.job where active order by jobid"
_INTERRUPTED = b"""
update cron.job_run_details set status = 'failed', return_message = 'server restarted'
where status in ('connecting', 'running')
"""
_BEGIN = """
insert into cron.job_run_details (jobid, database, username, command, status)
values (%s, %s, %s, %s, 'connecting') returning runid
"""
_RUNNING = "update cron.job_run_details set status = 'running', job_pid = %s, start_time = %s where runid = %s"
_END = "update cron.job_run_details set status = %s, return_message = %s, end_time = %s where runid = %s"


async def is_real(connection: AsyncConnection[Any]) -> bool:
    """Whether the server has loaded the real pg_cron, which runs its jobs itself."""
    return bool(await _value(connection, _IS_REAL))


async def claim(connection: AsyncConnection[Any]) -> bool:
    """Whether the caller may run the database's jobs while the connection lasts; not where another stack does."""
    return bool(await _value(connection, _CLAIM, _LOCK))


async def jobs(connection: AsyncConnection[Any]) -> list[Job]:
    """The active jobs; none where the extension is missing."""
    if not await _value(connection, _IS_HERE):
        return []
    cursor = connection.cursor(row_factory=class_row(Job))
    return await (await cursor.execute(_JOBS)).fetchall()


async def end_interrupted(connection: AsyncConnection[Any]) -> None:
    """Mark as failed what a stack left behind that did not stop in order."""
    if await _value(connection, _IS_HERE):
        await connection.execute(_INTERRUPTED)


async def begin(connection: AsyncConnection[Any], job: Job) -> int:
    """Note a new run; its id comes back."""
    return int(await _value(connection, _BEGIN, job.jobid, job.database, job.username, job.command))


async def running(connection: AsyncConnection[Any], run: int, *, pid: int, start: datetime) -> None:
    """Note that the command is being sent, and to which server process."""
    await connection.execute(_RUNNING, [pid, start, run])


async def end(connection: AsyncConnection[Any], run: int, status: str, message: str, when: datetime | None) -> None:
    """Note how the run ended, `succeeded` or `failed`, and the server's words."""
    await connection.execute(_END, [status, message, when, run])


async def _value(connection: AsyncConnection[Any], query: str | bytes, *values: object) -> Any:
    [(value,)] = await (await connection.execute(query, values)).fetchall()
    return value
