"""How long each operation took: kept in memory, read by the caller."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from math import ceil

_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Timing:
    """One operation's figures: counts of all calls, durations (ms, retries included) of the last 1,000."""

    calls: int
    failures: int
    retries: int
    p50: float
    p95: float
    max: float


class Timings:
    def __init__(self) -> None:
        self._durations: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._calls: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._retries: Counter[str] = Counter()

    def record(self, operation: str, *, seconds: float, retries: int, failed: bool) -> None:
        self._durations[operation].append(seconds * 1_000)
        self._calls[operation] += 1
        self._failures[operation] += failed
        self._retries[operation] += retries

    def summary(self) -> dict[str, Timing]:
        """Figures by operation, such as "sessions.join"."""
        return {
            operation: Timing(
                calls=self._calls[operation],
                failures=self._failures[operation],
                retries=self._retries[operation],
                p50=percentile(durations, 50),
                p95=percentile(durations, 95),
                max=max(durations),
            )
            for operation, durations in self._durations.items()
        }


def percentile(values: deque[float] | list[float], percent: float) -> float:
    """The nearest-rank percentile: a value that was measured, never one in between."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]
