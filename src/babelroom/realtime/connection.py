"""One Realtime socket, shared by all subscriptions of a client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from realtime import AsyncRealtimeChannel, AsyncRealtimeClient, RealtimePostgresChangesListenEvent
from realtime.message import SuccessSystemPayload
from realtime.types import PostgresChangesPayload, RealtimeSubscribeStates

from babelroom.errors import SubscribeFailed, SubscribeTimeout

logger = logging.getLogger("babelroom")

_REOPEN_DELAY = 1.0
"""Seconds before a channel that the server closed is opened again."""


_REOPEN_TIMEOUT = 30.0
"""Seconds that one attempt at it may take."""

_LEAVE_TIMEOUT = 2.0
"""Seconds that saying goodbye to the server may take."""


# A `system` error is not retried by the server, nor is a bad token; after any other word the library joins again.
_FINAL = ('"extension"', "JWT", "Jwt", "Unauthorized", "PrivateOnly", RealtimeSubscribeStates.CLOSED.value)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a row, as Realtime tells it."""

    record: dict[str, Any]
    """The new row, perhaps without some columns; empty for a DELETE."""
    has_errors: bool


class Listening:
    """One table's changes, followed on a channel of their own, until close()."""

    def __init__(
        self,
        realtime: AsyncRealtimeClient,
        *,
        table: str,
        row_filter: str,
        on_change: Callable[[Change], None],
        on_ready: Callable[[], None],
    ) -> None:
        self._realtime = realtime
        self._table, self._filter = table, row_filter
        self._on_change, self._on_ready = on_change, on_ready
        self._channel: AsyncRealtimeChannel | None = None
        self._ready: asyncio.Future[None] | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._last_word = ""
        self._closed = False

    async def open(self, *, within: float) -> None:
        """Return when the server has said that changes flow: the join reply alone does not mean that.

        Raises:
            SubscribeFailed: the server refused.
            SubscribeTimeout: it did not say so within so many seconds.
        """
        # A topic of its own: realtime-py hands out one channel per topic, and it can be subscribed once.
        channel = self._realtime.channel(f"{self._table}-{uuid4().hex}")
        channel.on_postgres_changes(
            RealtimePostgresChangesListenEvent.All,
            partial(self._take_change, channel),
            table=self._table,
            schema="public",
            filter=self._filter,
        ).on_system(partial(self._take_system, channel))
        self._channel = channel
        self._ready = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within):
                await channel.subscribe(partial(self._take_status, channel))
                await self._ready
        except TimeoutError as error:
            await self._leave()
            waited = f"(waited {within:g} s{'; the last word was ' + self._last_word if self._last_word else ''})"
            raise SubscribeTimeout(f"{SubscribeTimeout.__doc__} {waited}") from error
        except BaseException:
            await self._leave()
            raise

    async def close(self) -> None:
        """Leave the channel; the last one to leave closes the socket. Closing twice does nothing."""
        self._closed = True
        if self._reopening is not None:
            self._reopening.cancel()
        await self._leave()

    async def _leave(self) -> None:
        channel, self._channel = self._channel, None
        self._refuse(SubscribeFailed("The subscription was ended while it was being opened."))
        if channel is None:
            return
        try:
            # On a socket that has just died the library would first reconnect, however long that takes.
            async with asyncio.timeout(_LEAVE_TIMEOUT):
                await self._realtime.remove_channel(channel)
        except Exception as error:  # noqa: BLE001  leaving must go on; the server drops the channel with the socket
            logger.info("The channel of %s was not left in order: %r", self._table, error)

    def _refuse(self, error: SubscribeFailed) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()  # heard, also where nobody waits any more

    # The library calls these from the task that reads the socket: an exception here would end it for good. A channel
    # that was left may still call, late.

    def _take_change(self, channel: AsyncRealtimeChannel, payload: PostgresChangesPayload) -> None:
        if channel is not self._channel:
            return
        data = payload["data"]
        try:
            self._on_change(Change(record=data.get("record") or {}, has_errors=bool(data["errors"])))
        except Exception:
            logger.exception("A change of %s could not be handled", self._table)

    def _take_system(self, channel: AsyncRealtimeChannel, payload: SuccessSystemPayload) -> None:
        if channel is not self._channel or payload.extension != "postgres_changes":
            return
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        self._on_ready()

    def _take_status(
        self, channel: AsyncRealtimeChannel, state: RealtimeSubscribeStates, error: Exception | None
    ) -> None:
        if channel is not self._channel or state is RealtimeSubscribeStates.SUBSCRIBED:
            return
        self._last_word = f"{state.value}: {error or 'no reason given'}"
        reason = f"{SubscribeFailed.__doc__} ({self._last_word})"
        was_ready = self._ready is not None and self._ready.done()
        if any(sign in self._last_word for sign in _FINAL):
            self._refuse(SubscribeFailed(reason))
        if was_ready and state is RealtimeSubscribeStates.CLOSED:
            # The library rejoins after an error, but never after a close.
            self._channel = None
            self._reopening = asyncio.ensure_future(self._reopen(reason))

    async def _reopen(self, reason: str) -> None:
        logger.warning("Changes of %s stopped: %s", self._table, reason)
        while not self._closed:
            await asyncio.sleep(_REOPEN_DELAY)
            try:
                await self.open(within=_REOPEN_TIMEOUT)
            except Exception as error:  # noqa: BLE001  whatever it is, the next attempt may succeed
                logger.warning("Changes of %s are still away: %s", self._table, error)
            else:
                return
