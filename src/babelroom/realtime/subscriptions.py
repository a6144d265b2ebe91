"""The subscriptions of one client: opened on its Realtime socket, ended with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from realtime import AsyncRealtimeClient

from babelroom.realtime.connection import Change, Listening
from babelroom.realtime.subscription import Subscription


class Subscriptions:
    def __init__(self, realtime: AsyncRealtimeClient, *, timeout: float, check_usable: Callable[[], None]) -> None:
        self._realtime = realtime
        self._timeout = timeout
        self._check_usable = check_usable
        self._open: set[Subscription[Any]] = set()

    async def open(
        self,
        subscription: Subscription[Any],
        *,
        table: str,
        row_filter: str,
        on_change: Callable[[Change], None],
        on_ready: Callable[[], None],
    ) -> None:
        """Return when the table's changes flow to the subscription.

        Raises:
            SubscribeFailed: Realtime refused, or did not confirm in time.

        """
        self._check_usable()
        listening = Listening(
            self._realtime, table=table, row_filter=row_filter, on_change=on_change, on_ready=on_ready
        )
        await listening.open(within=self._timeout)
        subscription.attach(listening)
        subscription.on_end = self._open.discard
        self._open.add(subscription)

    async def close(self) -> None:
        """End every subscription, and with the last one the socket."""
        for subscription in list(self._open):
            await subscription.unsubscribe()
        await self._realtime.close()
