"""How long to wait between attempts that must never end."""

from __future__ import annotations

import random
from collections.abc import Sequence

_JITTER = 0.25
"""Of the delay, more or less: clients that were cut off together come back apart."""


class Backoff:
    """The delays one after another, with jitter; the last one stays."""

    def __init__(self, delays: Sequence[float]) -> None:
        self._delays = delays
        self._failures = 0

    def next(self) -> float:
        """Seconds until the next attempt."""
        delay = self._delays[min(self._failures, len(self._delays) - 1)]
        self._failures += 1
        return delay * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  no secret

    def reset(self) -> None:
        """An attempt was a success."""
        self._failures = 0
