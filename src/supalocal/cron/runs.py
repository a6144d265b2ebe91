"""The runs under way: one at a time for each job, and not too many together."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

    from supalocal.cron.run import Runner
    from supalocal.cron.timetable import Job

_log = logging.getLogger(__name__)
_AT_ONCE = 32  # pg_cron's own limit


class Runs:
    """Starts runs. `current` tells a job as it is now, None once it is no longer active."""

    def __init__(self, runner: Runner, current: Callable[[int], Job | None]) -> None:
        self._runner = runner
        self._current = current
        self._waiting: Counter[int] = Counter()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def add(self, job: Job, *, at_most: int | None = None) -> None:
        """Let the job run as soon as its earlier runs have ended; `at_most` so many wait."""
        if at_most is None or self._waiting[job.jobid] < at_most:
            self._waiting[job.jobid] += 1
        if job.jobid not in self._tasks or self._tasks[job.jobid].done():
            self._tasks[job.jobid] = asyncio.create_task(self._work(job.jobid))

    def drop_inactive(self) -> None:
        """Cancel the runs of jobs that were unscheduled or deactivated."""
        self._tasks = {jobid: task for jobid, task in self._tasks.items() if not task.done()}
        for jobid, task in self._tasks.items():
            if self._current(jobid) is None:
                task.cancel("job canceled")

    async def close(self) -> None:
        """Cancel what runs, and wait until that is noted."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, jobid: int) -> None:
        try:
            while self._waiting[jobid] and (job := self._current(jobid)):
                async with self._slots:
                    self._waiting[jobid] -= 1
                    await self._runner.run(job)
        except psycopg.Error as exc:
            _log.warning("a run of cron job %d could not be noted: %s", jobid, exc)
        finally:
            del self._waiting[jobid]
