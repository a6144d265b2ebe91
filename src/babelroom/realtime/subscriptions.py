"""The subscriptions of one client: opened on its Realtime socket, ended with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from realtime import AsyncRealtimeClient

from babelroom.errors import ClientClosed
from babelroom.realtime.connection import Change, Listening
from babelroom.realtime.subscription import Subscription


class Subscriptions:
    """`within` says how many seconds opening one may take; `check_usable` raises while nothing may be opened."""

    def __init__(
        self, realtime: AsyncRealtimeClient, *, within: Callable[[], float], check_usable: Callable[[], None]
    ) -> None:
        self._realtime = realtime
        self._within = within
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
            ClientClosed: the client was closed meanwhile.
        """
        self._check_usable()
        listening = Listening(
            self._realtime, table=table, row_filter=row_filter, on_change=on_change, on_ready=on_ready
        )
        subscription.attach(listening)
        self._open = {other for other in self._open if not other.is_ended} | {subscription}
        try:
            await listening.open(within=self._within())
        except BaseException:
            await subscription.unsubscribe()
            self._check_usable()
            raise
        if subscription.is_ended:
            await listening.close()
            raise ClientClosed

    async def close(self) -> None:
        """End every subscription, and with the last one the socket."""
        for subscription in self._open:
            await subscription.unsubscribe()
        await self._realtime.close()
