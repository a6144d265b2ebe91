"""When a job is due: pg_cron's schedules, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

_SECONDS = re.compile(r"\s*\+?0*([1-9]|[1-5]\d)\s*second(?:s\s*)?", re.IGNORECASE | re.ASCII)
_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_AT_START = {"@reboot", "@restart"}
_FIELDS, _DAY = 5, 2


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as pg_cron takes it. `every` is the pause in seconds of the `N seconds` form."""

    every: int | None = None
    at_start: bool = False
    _fields: str | None = None

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read what pg_cron accepts; anything else is a schedule that never comes, as it is there."""
        if seconds := _SECONDS.fullmatch(text):
            return cls(every=int(seconds[1]))
        words = text.split()
        if words and words[0] in _AT_START:
            return cls(at_start=True)
        fields = _NAMED.get(words[0], "").split() if words and words[0].startswith("@") else words[:_FIELDS]
        return cls(_fields=_checked(fields))

    def after(self, moment: datetime) -> datetime | None:
        """The first time after the moment; None: never."""
        if self.every is not None:
            return moment + timedelta(seconds=self.every)
        if self._fields is None:
            return None
        return next(CronSim(self._fields, moment.astimezone(UTC)), None)


def _checked(fields: list[str]) -> str | None:
    if len(fields) == _FIELDS and fields[_DAY] == "$":
        fields = [*fields[:_DAY], "L", *fields[_DAY + 1 :]]
    try:
        # The library has a sixth field and characters of its own, none of which pg_cron knows.
        CronSim(" ".join(fields[:_FIELDS]), datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError:
        return None
    return " ".join(fields)
