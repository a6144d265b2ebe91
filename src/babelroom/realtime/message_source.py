"""Every new state of a session's messages, in the order of their commits."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from pydantic import ValidationError

from babelroom.models import Message
from babelroom.realtime.feed import Feed
from babelroom.realtime.socket import Change

PAGE = 200
"""Messages fetched at a time."""

Fetch = Callable[[int, int], Awaitable[Sequence[Message]]]
"""The states after a rev, by rev, at most so many."""


class MessageSource:
    """A Source (see source.py) of message states: a Feed, and what it could not hand out yet."""

    def __init__(self, fetch: Fetch, *, cursor: int, is_behind: bool) -> None:
        self._fetch = fetch
        self._feed = Feed(cursor)
        self._pending: deque[Message] = deque()
        if is_behind:
            self._feed.ring()

    @property
    def is_behind(self) -> bool:
        return self._feed.is_behind

    @property
    def is_finished(self) -> bool:
        return False

    @property
    def has_more(self) -> bool:
        return bool(self._pending)

    def take(self, change: Change) -> None:
        self._pending += self._feed.event(read_message(change))

    def ring(self) -> None:
        self._feed.ring()

    async def fetch(self) -> bool:
        messages = await self._fetch(self._feed.start_fetch(), PAGE)
        fresh = self._feed.page(messages, is_last=len(messages) < PAGE)
        self._pending += fresh
        return bool(fresh)

    def hand_out(self, room: int) -> list[Message]:
        return [self._pending.popleft() for _ in range(min(room, len(self._pending)))]

    def due(self) -> float:
        return math.inf


def read_message(change: Change) -> Message | None:
    """The message; None for one that cannot be read.

    A long text that an update left alone is not in the event: Postgres stores it out of line.
    """
    if change.has_errors:
        return None
    try:
        return Message.model_validate(change.record)
    except ValidationError:
        return None
