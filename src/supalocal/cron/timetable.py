"""Which jobs are due, and when the next one is. Knows no clock and no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from supalocal.cron.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Job:
    """An active row of cron.job, without what no run needs."""

    jobid: int
    schedule: str
    command: str
    database: str
    username: str


@dataclass(slots=True)
class _Entry:
    job: Job
    schedule: Schedule
    due: datetime | None


class Timetable:
    """The active jobs and the next time of each."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}

    def update(self, jobs: Iterable[Job], now: datetime) -> None:
        """Take the active jobs as they are now; one whose schedule is the same keeps its next time."""
        before = self._entries
        self._entries = {}
        for job in jobs:
            known = before.get(job.jobid)
            if known and known.job.schedule == job.schedule:
                self._entries[job.jobid] = _Entry(job, known.schedule, known.due)
            else:
                schedule = Schedule.parse(job.schedule)
                self._entries[job.jobid] = _Entry(job, schedule, schedule.after(now))

    def job(self, jobid: int) -> Job | None:
        """The job; None if it is no longer active."""
        entry = self._entries.get(jobid)
        return entry.job if entry else None

    def is_interval(self, job: Job) -> bool:
        """Whether the job has the `N seconds` form."""
        return self._entries[job.jobid].schedule.every is not None

    def at_start(self) -> list[Job]:
        """The jobs that run once, when the stack has started."""
        return [entry.job for entry in self._entries.values() if entry.schedule.at_start]

    def next_due(self) -> datetime | None:
        """When the next job is due; None: none ever will be."""
        return min((entry.due for entry in self._entries.values() if entry.due), default=None)

    def take_due(self, now: datetime) -> list[Job]:
        """The jobs that are due, each once however late it is: what was missed is not made up for."""
        due = [entry for entry in self._entries.values() if entry.due and entry.due <= now]
        for entry in due:
            entry.due = entry.schedule.after(now)
        return [entry.job for entry in due]
