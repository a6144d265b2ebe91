"""Which partial translations to hand out: of each message ever more of one text, whatever the transport does. Pure."""

from __future__ import annotations

from uuid import UUID

from babelroom.results import Partial

MESSAGES = 100
"""Messages that are remembered: those that grew last."""


class PartialFeed:
    """Of each message the numbers rise, and each text begins with the one before; what does not fit is dropped.

    So the first of two texts stays, if two translators work on one message. Whoever takes little gets the latest.
    """

    def __init__(self, messages: int = MESSAGES) -> None:
        self._messages = messages
        self._latest: dict[UUID, Partial] = {}  # the one that grew last comes last
        self._untold: dict[UUID, None] = {}  # an ordered set: the one that has waited longest comes first

    @property
    def held(self) -> int:
        """How many partials are remembered."""
        return len(self._latest)

    def take(self, partial: Partial) -> None:
        """Take what has come."""
        message_id = partial.message_id
        before = self._latest.get(message_id)
        if before is not None and not (partial.number > before.number and partial.text.startswith(before.text)):
            return
        self._latest.pop(message_id, None)
        self._latest[message_id] = partial
        self._untold[message_id] = None
        if len(self._latest) > self._messages:
            forgotten = next(iter(self._latest))
            del self._latest[forgotten]
            self._untold.pop(forgotten, None)

    def hand_out(self, room: int) -> list[Partial]:
        """At most so many that were not handed out yet, of each message the latest."""
        told = list(self._untold)[:room]
        for message_id in told:
            del self._untold[message_id]
        return [self._latest[message_id] for message_id in told]
