"""Which message states to hand out, from events and fetched pages alone. Pure: nothing here waits or calls out.

Realtime promises no delivery. The database numbers the states of a session's messages (`rev`) in commit order, so a
cursor tells what is missing: an event that is next in line is delivered as it is, anything else means "fetch".
"""

from __future__ import annotations

from collections.abc import Sequence

from babelroom.models import Message


class Feed:
    """Each rev at most once, rev rising, the latest state of each message after a gap."""

    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        """The last rev that was delivered."""
        self.is_behind = False
        """Whether the states after the cursor must be fetched."""

    def event(self, message: Message | None) -> list[Message]:
        """Take one change; None is one that cannot be read, because it lacks a column or carries an error."""
        if message is None or message.rev > self.cursor + 1:
            self.is_behind = True
            return []
        return self._deliver([message])

    def start_fetch(self) -> int:
        """Return the rev after which to fetch. Whatever rings from here on asks for another fetch."""
        self.is_behind = False
        return self.cursor

    def page(self, messages: Sequence[Message], *, is_last: bool) -> list[Message]:
        """Take a page of states after the cursor, in rev order."""
        if not is_last:
            self.is_behind = True
        return self._deliver(messages)

    def ring(self) -> None:
        """Something may have been missed, or a fetch failed."""
        self.is_behind = True

    def _deliver(self, messages: Sequence[Message]) -> list[Message]:
        fresh = []
        for message in messages:
            if message.rev > self.cursor:
                self.cursor = message.rev
                fresh.append(message)
        return fresh
