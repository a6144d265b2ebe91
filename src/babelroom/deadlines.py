"""How long a call may take: the setting's seconds, or those of a `with deadline(...)` block around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context

_seconds: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give every call in this block so many seconds, retries included, instead of the setting's.

    An outer block's fewer seconds stay in force.
    """
    outer = _seconds.get()
    token = _seconds.set(seconds if outer is None else min(outer, seconds))
    try:
        yield
    finally:
        _seconds.reset(token)


def limit(default: float) -> float:
    """Seconds that a call may take now."""
    seconds = _seconds.get()
    return default if seconds is None else seconds


def without_deadline() -> Context:
    """The current context for a task that outlives it: in there, the setting's seconds hold again."""
    context = copy_context()
    context.run(_seconds.set, None)
    return context
