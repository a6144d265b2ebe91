"""One Realtime socket, shared by all subscriptions of a client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
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
            self._take_change,
            table=self._table,
            schema="public",
            filter=self._filter,
        ).on_system(self._take_system)
        self._channel = channel
        self._ready = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within):
                await channel.subscribe(self._take_status)
                await self._ready
        except TimeoutError as error:
            await self._leave()
            raise SubscribeTimeout(f"{SubscribeTimeout.__doc__} (waited {within:g} s)") from error
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
        if self._ready is not None:
            self._ready.cancel()
        if channel is None:
            return
        # On a socket that has just died the library would first reconnect, however long that takes.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_TIMEOUT):
                await self._realtime.remove_channel(channel)

    # The library calls these from the task that reads the socket: an exception here would end it for good.

    def _take_change(self, payload: PostgresChangesPayload) -> None:
        data = payload["data"]
        try:
            self._on_change(Change(record=data.get("record") or {}, has_errors=bool(data["errors"])))
        except Exception:
            logger.exception("A change of %s could not be handled", self._table)

    def _take_system(self, payload: SuccessSystemPayload) -> None:
        if payload.extension != "postgres_changes":
            return
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        self._on_ready()

    def _take_status(self, state: RealtimeSubscribeStates, error: Exception | None) -> None:
        if state is RealtimeSubscribeStates.SUBSCRIBED:
            return
        reason = f"{SubscribeFailed.__doc__} ({state.value}: {error or 'no reason given'})"
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(SubscribeFailed(reason))
        elif state is RealtimeSubscribeStates.CLOSED and self._channel is not None:
            # The library rejoins after an error, but never after a close.
            self._reopening = asyncio.ensure_future(self._reopen(reason))

    async def _reopen(self, reason: str) -> None:
        logger.warning("Changes of %s stopped: %s", self._table, reason)
        self._channel = None
        while not self._closed:
            await asyncio.sleep(_REOPEN_DELAY)
            try:
                await self.open(within=_REOPEN_TIMEOUT)
            except SubscribeFailed as error:
                logger.warning("Changes of %s are still away: %s", self._table, error)
            else:
                return
