"""How long the parts of a message's way took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babelroom.timings import percentile


@dataclass(frozen=True, slots=True)
class Times:
    """One message (ms)."""

    send: float
    """Until the database had queued it."""
    translate: float
    deliver: float
    """From storing the translation until the other side's callback had it."""
    end_to_end: float
    """From sending until the other side's callback had the translation."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of the table (ms)."""

    name: str
    p50: float
    p95: float
    max: float


def summarize(times: Sequence[Times]) -> list[Summary]:
    """Return the rows of the table; none without a message that arrived."""
    if not times:
        return []
    return [
        _summary("send", [each.send for each in times]),
        _summary("translate", [each.translate for each in times]),
        _summary("deliver", [each.deliver for each in times]),
        _summary("end to end", [each.end_to_end for each in times]),
    ]


def _summary(name: str, values: list[float]) -> Summary:
    return Summary(name, percentile(values, 50), percentile(values, 95), max(values))
