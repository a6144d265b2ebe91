"""The subscriptions of one client: opened on its connection, ended with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from babelroom.errors import ClientClosed, SubscribeTimeout
from babelroom.realtime.connection import Connection
from babelroom.realtime.follower import Follower
from babelroom.realtime.source import Source
from babelroom.realtime.status import State, StateChange, Status, worst
from babelroom.realtime.subscription import Subscription
from babelroom.realtime.tasks import Tasks

logger = logging.getLogger("babelroom")

T = TypeVar("T")

_NOTHING = StateChange(State.DISCONNECTED, "Nothing is subscribed to.")


@dataclass(frozen=True, slots=True)
class SubscriptionHealth:
    """How one subscription does."""

    topic: str
    """Table and filter, such as "messages, session_id=eq.<uuid>"."""
    state: State
    reason: str
    gaps_repaired: int
    """Fetches that brought what no event had told."""
    last_event_age: float | None
    """Seconds since Realtime last told something; None: never yet."""
    lag: float
    """Seconds for which something may have been missing; 0 while nothing is."""


class Subscriptions:
    """`within` says how many seconds opening one may take; `check_usable` raises while nothing may be opened."""

    def __init__(
        self,
        connection: Connection,
        tasks: Tasks,
        *,
        within: Callable[[], float],
        check_usable: Callable[[], None],
        poll_interval: float,
        buffer_size: int,
    ) -> None:
        self._connection = connection
        self._tasks = tasks
        self._within = within
        self._check_usable = check_usable
        self._poll_interval = poll_interval
        self._buffer_size = buffer_size
        self._open: dict[Subscription[Any], tuple[str, Follower[Any]]] = {}
        self._is_closed = False
        self.status = Status(_NOTHING.reason, state=_NOTHING.state)
        """The worst of all."""

    async def open(self, source: Source[T], *, table: str, row_filter: str) -> Subscription[T]:
        """Return a subscription that tells what happens from now on, by events or, where Realtime is away, by polls.

        Raises:
            SubscribeFailed: Realtime refused.
            SubscribeTimeout: neither Realtime nor REST could be had in time.
            ClientClosed: the client was closed meanwhile.
        """
        self._check_usable()
        if self._is_closed:
            raise ClientClosed
        status = Status("It is being opened.", on_change=self._sum_up)
        subscription = Subscription[T](status, self._buffer_size)
        follower = Follower(
            subscription,
            status,
            source,
            poll_interval=self._poll_interval,
            renew=partial(self._connection.renew, table, row_filter),
        )

        async def follow() -> None:
            await follower.run()
            self._forget(subscription)
            await self._connection.unfollow(table, row_filter, follower)

        async def end() -> None:
            task.cancel()
            follower.give_up(ClientClosed())
            self._forget(subscription)
            await self._connection.unfollow(table, row_filter, follower)
            await asyncio.wait([task])

        task = self._tasks.start(follow, f"a subscription to {table}")
        subscription.on_end = end
        self._open[subscription] = (f"{table}, {row_filter}", follower)
        self._sum_up()
        self._connection.follow(table, row_filter, follower)
        await self._wait_for(subscription, follower)
        return subscription

    async def close(self) -> None:
        """End every subscription, and with the last one the socket."""
        self._is_closed = True
        ending = [asyncio.create_task(subscription.unsubscribe()) for subscription in self._open]
        try:
            if ending:
                await asyncio.wait(ending)  # unlike gather(), it lets them end when the caller waits no more
        finally:
            self.status.change(State.CLOSED, "The client was closed.")

    def health(self) -> tuple[SubscriptionHealth, ...]:
        return tuple(
            SubscriptionHealth(
                topic=topic,
                state=subscription.state,
                reason=subscription.reason,
                gaps_repaired=follower.gaps_repaired,
                last_event_age=follower.last_event_age,
                lag=follower.lag,
            )
            for subscription, (topic, follower) in self._open.items()
        )

    async def _wait_for(self, subscription: Subscription[Any], follower: Follower[Any]) -> None:
        seconds = self._within()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(follower.opened)
        except TimeoutError as error:
            reason = f"{SubscribeTimeout.__doc__} (waited {seconds:g} s; {subscription.reason})"
            await subscription.unsubscribe()
            raise SubscribeTimeout(reason) from error
        except BaseException:
            await subscription.unsubscribe()
            raise

    def _forget(self, subscription: Subscription[Any]) -> None:
        self._open.pop(subscription, None)
        self._sum_up()

    def _sum_up(self) -> None:
        change = worst(subscription.current for subscription in self._open) or _NOTHING
        if change.state is not self.status.current.state:
            logger.info("Live changes: %s. %s", change.state, change.reason)
        self.status.change(change.state, change.reason)
