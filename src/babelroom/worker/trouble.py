"""Trouble: something that a worker needs is away. It is told once, and once more when it is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from babelroom.backoff import Backoff
from babelroom.worker.events import tell

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between attempts, a quarter more or less."""


class Trouble:
    """`what` is away, such as "supabase"; the events are named after it."""

    def __init__(self, what: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._pauses = Backoff(PAUSES)
        self._until = 0.0
        self.reason: str | None = None
        """Why; None: there is no trouble."""

    def meet(self, error: Exception) -> None:
        """An attempt failed. Those that fail together make one pause."""
        if self.reason is None:
            tell(f"{self._what}_away", level=logging.WARNING, error=str(error))
        self.reason = str(error)
        if not self.pause:
            self._until = self._clock() + self._pauses.next()

    def end(self) -> None:
        """An attempt went well. One that had begun before the pause proves nothing."""
        if self.reason is None or self.pause:
            return
        self.reason = None
        self._pauses.reset()
        tell(f"{self._what}_back")

    @property
    def pause(self) -> float:
        """Seconds that are left until the next attempt."""
        return max(0.0, self._until - self._clock())
