"""The time, so that tests need not wait for it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol

_LONGEST = 3600.0  # a machine that slept wakes up with another idea of the time


class Clock(Protocol):
    """What tells the time, in UTC."""

    def now(self) -> datetime: ...

    async def wait(self, until: datetime | None) -> None:
        """Return at that moment or somewhat earlier; None: wait for ever."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait(self, until: datetime | None) -> None:
        rest = _LONGEST if until is None else (until - self.now()).total_seconds()
        await asyncio.sleep(min(max(rest, 0.0), _LONGEST))
