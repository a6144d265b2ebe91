"""Drives a Feed: events and fetched pages in, a subscription's messages out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from pydantic import ValidationError

from babelroom.errors import ClientClosed
from babelroom.models import Message
from babelroom.realtime.connection import Change
from babelroom.realtime.feed import Feed
from babelroom.realtime.subscription import Subscription

logger = logging.getLogger("babelroom")

PAGE = 200
"""Messages fetched at a time."""

_LOOK = 30.0
"""Seconds after which it looks for missed states without being told to."""

_FETCH_AGAIN = 1.0
"""Seconds to wait after a fetch that failed."""

Fetch = Callable[[int, int], Awaitable[Sequence[Message]]]
"""The states after a rev, by rev, at most so many."""


class MessageStream:
    def __init__(self, subscription: Subscription[Message], fetch: Fetch, *, cursor: int) -> None:
        self._subscription = subscription
        self._fetch = fetch
        self._feed = Feed(cursor)
        self._wake = asyncio.Event()

    def on_change(self, change: Change) -> None:
        self._put(self._feed.event(None if change.has_errors else _read(change)))
        if self._feed.is_behind:
            self._wake.set()

    def on_ready(self) -> None:
        """Changes flow (again): what was committed before must be fetched."""
        self._feed.ring()
        self._wake.set()

    async def catch_up(self) -> None:
        """Fetch whenever the feed is behind, for as long as the subscription runs."""
        while True:
            try:
                # Not wait_for: Python 3.11's may swallow a cancellation that meets the wake-up.
                async with asyncio.timeout(_LOOK):
                    await self._wake.wait()
            except TimeoutError:
                self._feed.ring()
            self._wake.clear()
            while self._feed.is_behind:
                await self._fetch_page()

    async def _fetch_page(self) -> None:
        cursor = self._feed.start_fetch()
        try:
            messages = await self._fetch(cursor, PAGE)
        except ClientClosed:
            raise
        except Exception as error:  # noqa: BLE001  nothing but the end of the subscription may end this
            logger.warning("Messages after rev %d could not be fetched yet: %s", cursor, error)
            self._feed.ring()
            await asyncio.sleep(_FETCH_AGAIN)
        else:
            self._put(self._feed.page(messages, is_last=len(messages) < PAGE))

    def _put(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._subscription.put(message)


def _read(change: Change) -> Message | None:
    # A long text that an update left alone is not in the event: Postgres stores it out of line.
    try:
        return Message.model_validate(change.record)
    except ValidationError:
        return None
