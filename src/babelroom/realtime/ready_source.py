"""A session's messages in the order of the conversation, each once, when it can be shown."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from babelroom.models import Message, ReadyMessage
from babelroom.realtime.conversation import Conversation
from babelroom.realtime.feed import Feed
from babelroom.realtime.message_source import PAGE, Fetch, read_message
from babelroom.realtime.socket import Change

_MOST_HELD = 1_000
"""Messages of the past that wait for their turn; then it waits with fetching more of them."""


class ReadySource:
    """A Source (see source.py). It reads the past by seq, page by page, and then follows the states.

    A gap in the states that is longer than a page is past too: their pages are in the order of rev, so that only the
    last one would tell which messages there are.
    """

    def __init__(
        self,
        fetch: Fetch,
        page: Callable[[int, int], Awaitable[Sequence[Message]]],
        last_rev: Callable[[], Awaitable[int]],
        *,
        after: int,
        has_past: bool,
        late_after: float,
        page_size: int = PAGE,
    ) -> None:
        self._fetch, self._page, self._last_rev = fetch, page, last_rev
        self._conversation = Conversation(after, late_after=late_after)
        self._page_size = page_size
        self._feed = Feed(after)
        self._past: int | None = after if has_past else None
        """The seq up to which the past has been read; None: all of it."""
        self._must_turn = has_past
        """Whether the past is to be read, and the rev after which the states are followed is not known yet."""

    @property
    def is_behind(self) -> bool:
        return self._past is not None or self._feed.is_behind

    @property
    def is_finished(self) -> bool:
        return False

    @property
    def has_more(self) -> bool:
        is_full = self._past is not None and self._conversation.held >= _MOST_HELD
        return is_full or self._conversation.has_more()

    def take(self, change: Change) -> None:
        if self._past is None:
            self._know(self._feed.event(read_message(change)))

    def ring(self) -> None:
        self._feed.ring()

    async def fetch(self) -> bool:
        if self._past is not None:
            return await self._read_past(self._past)
        messages = await self._fetch(self._feed.start_fetch(), self._page_size)
        if len(messages) == self._page_size:
            self._past, self._must_turn = self._conversation.resume_after, True
            return True
        fresh = self._feed.page(messages, is_last=True)
        self._know(fresh)
        return bool(fresh)

    def hand_out(self, room: int) -> list[ReadyMessage]:
        return self._conversation.hand_out(room, time.monotonic())

    def due(self) -> float:
        return self._conversation.due()

    async def _read_past(self, after: int) -> bool:
        if self._must_turn:
            self._feed = Feed(await self._last_rev())
            self._must_turn = False
        messages = await self._page(after, self._page_size)
        end = messages[-1].seq if messages else after
        if len(messages) < self._page_size:
            self._past = None
            self._feed.ring()
            end = max(end, self._feed.cursor)
        else:
            self._past = end
        self._conversation.take(messages, time.monotonic(), known_to=end)
        return bool(messages)

    def _know(self, fresh: Sequence[Message]) -> None:
        self._conversation.take(fresh, time.monotonic(), known_to=self._feed.cursor)
