"""The subscriptions of one client: opened on its connection, ended with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from babelroom.errors import ClientClosed, SubscribeTimeout
from babelroom.realtime.connection import Connection
from babelroom.realtime.follower import Follower
from babelroom.realtime.partial_follower import CAPACITY, PartialFollower, Read
from babelroom.realtime.socket import Broadcasts, Rows, Subject
from babelroom.realtime.source import Source
from babelroom.realtime.status import State, StateChange, Status, worst
from babelroom.realtime.subscription import Subscription
from babelroom.realtime.tasks import Tasks
from babelroom.results import Partial

logger = logging.getLogger("babelroom")

T = TypeVar("T")

_NOTHING = StateChange(State.DISCONNECTED, "Nothing is subscribed to.")


@dataclass(frozen=True, slots=True)
class SubscriptionHealth:
    """How one subscription does."""

    topic: str
    """Table and filter, such as "messages, session_id=eq.<uuid>", or where partials are sent: "partials-<uuid>"."""
    state: State
    reason: str
    gaps_repaired: int
    """Fetches that brought what no event had told."""
    last_event_age: float | None
    """Seconds since Realtime last told something; None: never yet."""
    lag: float
    """Seconds for which something may have been missing; 0 while nothing is."""


class Figures(Protocol):
    """What a follower knows of its subscription, for health()."""

    @property
    def is_essential(self) -> bool:
        """Whether something would be missing without it."""

    @property
    def gaps_repaired(self) -> int: ...

    @property
    def last_event_age(self) -> float | None: ...

    @property
    def lag(self) -> float: ...


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
        self._open: dict[Subscription[Any], tuple[Subject[Any], Figures]] = {}
        self._is_closed = False
        self.status = Status(_NOTHING.reason, state=_NOTHING.state)
        """The worst of all; partial translations, which need not come, only count where there is nothing else."""

    async def open(self, source: Source[T], rows: Rows) -> Subscription[T]:
        """Return a subscription that tells what happens from now on, by events or, where Realtime is away, by polls.

        Raises:
            SubscribeFailed: Realtime refused.
            SubscribeTimeout: neither Realtime nor REST could be had in time.
            ClientClosed: the client was closed meanwhile.
        """
        status = self._new_status()
        subscription = Subscription[T](status, self._buffer_size)
        follower = Follower(
            subscription,
            status,
            source,
            poll_interval=self._poll_interval,
            renew=partial(self._connection.renew, rows),
        )

        async def follow() -> None:
            await follower.run()
            self._forget(subscription)
            await self._connection.unfollow(rows, follower)

        async def end() -> None:
            task.cancel()
            follower.give_up(ClientClosed())
            self._forget(subscription)
            await self._connection.unfollow(rows, follower)
            await asyncio.wait([task])

        task = self._tasks.start(follow, f"a subscription to {rows.table}")
        subscription.on_end = end
        self._remember(subscription, rows, follower)
        self._connection.follow(rows, follower)
        await self._wait_for(subscription, follower)
        return subscription

    def open_partials(self, broadcasts: Broadcasts, read: Read) -> Subscription[Partial]:
        """Return at once a subscription that tells the partials of whenever they can be had, as its state says.

        Raises:
            ClientClosed: the client was closed.
        """
        status = self._new_status()
        subscription = Subscription[Partial](status, CAPACITY)
        follower = PartialFollower(subscription, status, read)

        async def end() -> None:
            self._forget(subscription)
            await self._connection.unfollow(broadcasts, follower)

        subscription.on_end = end
        self._remember(subscription, broadcasts, follower)
        self._connection.follow(broadcasts, follower)
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
                topic=str(subject),
                state=subscription.state,
                reason=subscription.reason,
                gaps_repaired=follower.gaps_repaired,
                last_event_age=follower.last_event_age,
                lag=follower.lag,
            )
            for subscription, (subject, follower) in self._open.items()
        )

    def _new_status(self) -> Status:
        self._check_usable()
        if self._is_closed:
            raise ClientClosed
        return Status("It is being opened.", on_change=self._sum_up)

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

    def _remember(self, subscription: Subscription[Any], subject: Subject[Any], follower: Figures) -> None:
        self._open[subscription] = (subject, follower)
        self._sum_up()

    def _forget(self, subscription: Subscription[Any]) -> None:
        self._open.pop(subscription, None)
        self._sum_up()

    def _sum_up(self) -> None:
        essential = [
            subscription.current for subscription, (_, follower) in self._open.items() if follower.is_essential
        ]
        change = worst(essential) or worst(subscription.current for subscription in self._open) or _NOTHING
        if change.state is not self.status.current.state:
            logger.info("Live changes: %s. %s", change.state, change.reason)
        self.status.change(change.state, change.reason)
