"""What can go wrong with a provider's attempt, when it is made again, and as what it is raised in the end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from babelroom.attempts import Attempts
from babelroom.errors import BabelroomError

_LAST_START = 0.8
"""Of the deadline: an attempt that begins later would be cut before its answer."""
_PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts, a quarter more or less."""
_RETRIES_UNREACHED = 2
"""More for a server that is not there would only keep those waiting who have another translator."""

_SLOW = "OpenAI did not answer in time: try again, or check OPENAI_BASE_URL if it is set."
_LOST = "OpenAI's answer broke off: try again."
_GARBLED = "OpenAI's answer cannot be read: check OPENAI_BASE_URL if it is set. It has {found}."
_ASKED = " It asks to be left alone for {:,} s, more than the deadline leaves."


class Trouble(BabelroomError):
    """The attempt failed."""

    def __init__(
        self,
        message: str,
        *,
        passes: bool = False,
        is_general: bool = False,
        is_limit: bool = False,
        pause: float | None = None,
    ) -> None:
        super().__init__(message)
        self.passes = passes
        """The same request may succeed if it is simply sent again."""
        self.is_general = is_general
        """It would meet any other text too."""
        self.is_limit = is_limit
        """There are too many requests, whatever this one asks."""
        self.pause = pause
        """Seconds that the server asks to be left alone."""


def slow(*, passes: bool = False) -> Trouble:
    """Return the trouble with an answer that takes too long; it passes if only one attempt did."""
    return Trouble(_SLOW, passes=passes)


def cut() -> Trouble:
    """Return the trouble with an answer that ended before its end."""
    return Trouble(_LOST, passes=True)


def garbled(found: object) -> Trouble:
    """Return the trouble with an answer that is not what was asked for; `found` says what it is instead."""
    return Trouble(_GARBLED.format(found=found), passes=True)


def attempts(seconds: float) -> Attempts:
    """Return the attempts of a call that may take so long."""

    def may_retry(error: BabelroomError) -> bool:
        is_hopeless = isinstance(error, Trouble) and error.is_general and made.retries >= _RETRIES_UNREACHED
        return isinstance(error, Trouble) and error.passes and not is_hopeless

    made = Attempts(seconds * _LAST_START, may_retry, _PAUSES, asked_pause=_asked_pause)
    return made


@contextmanager
def explained(failed: type[BabelroomError], unavailable: type[BabelroomError] | None = None) -> Iterator[None]:
    """Raise a block's trouble as one of the two, the second if no text is to blame; the cause is the library's own."""
    try:
        yield
    except Trouble as trouble:
        kind = unavailable or failed if trouble.is_general or trouble.is_limit else failed
        asked = _ASKED.format(math.ceil(trouble.pause)) if trouble.pause else ""
        raise kind(f"{trouble}{asked}") from trouble.__cause__


def _asked_pause(error: BabelroomError) -> float | None:
    return error.pause if isinstance(error, Trouble) else None
