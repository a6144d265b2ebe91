"""What a worker has done and does now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """Counts since the worker was made; it goes on counting."""

    translated: int = 0
    failed: int = 0
    """Failures that were reported; the database has most of them tried again."""
    released: int = 0
    """Given back, as somebody else, or another moment, suits them better."""
    lost: int = 0
    """Claims that were somebody else's before they came to an end."""
    in_flight: int = 0
    """Being translated or stored now."""
    waiting: str | None = None
    """Why nothing can be done at the moment; None: all is well."""
