"""Activity: who is typing, recording or waiting for a translation."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

from babelroom import inputs
from babelroom.errors import BabelroomError
from babelroom.models import ActivityType, UserActivity, UserActivityInsert
from babelroom.realtime.row_stream import RowStream
from babelroom.realtime.subscription import Callback, Subscription
from babelroom.realtime.subscriptions import Subscriptions
from babelroom.repositories._gateway import deadline
from babelroom.repositories.activity import ActivityRepository

logger = logging.getLogger("babelroom")

IDLE_AFTER = 3.0
"""Seconds without a new call until a user counts as idle; the founding spec's number."""

_SEND_EVERY = 1.0
"""Seconds within which the same activity of a user is sent once: a keystroke is not a request."""

_STALE = 3.0
"""Seconds after which an activity is not worth sending any more."""

_User = tuple[UUID, UUID]


class ActivityService:
    """The founding spec's ActivityService. Reached as `Babelroom.activity`."""

    def __init__(self, activity: ActivityRepository, subscriptions: Subscriptions) -> None:
        self._activity = activity
        self._subscriptions = subscriptions
        self._timers: dict[_User, asyncio.TimerHandle] = {}
        self._sent: dict[_User, tuple[ActivityType, float]] = {}
        self._in_order: defaultdict[_User, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._going_idle: set[asyncio.Task[None]] = set()

    async def update_activity(
        self, session_id: UUID | str, user_id: UUID | str, activity_type: ActivityType | str
    ) -> None:
        """Show what the user is doing; 3 seconds after the last call they are idle again.

        Call it at every keystroke: the same activity is sent at most once a second. What Supabase refuses is logged
        and never raised, so that typing goes on.

        Raises:
            InvalidInput: an id is not a UUID, or there is no such activity.

        """
        user = (inputs.uuid(session_id), inputs.uuid(user_id))
        activity = inputs.activity(activity_type)
        self._stop_timer(user)
        if activity is not ActivityType.IDLE:
            loop = asyncio.get_running_loop()
            self._timers[user] = loop.call_later(IDLE_AFTER, partial(self._go_idle, user))
        if not self._was_just_sent(user, activity):
            self._sent[user] = (activity, time.monotonic())
            await self._send(user, activity)

    async def get_session_activities(self, session_id: UUID | str) -> list[UserActivity]:
        """What the session's users are doing now: neither idle nor older than 5 seconds, by the database's clock."""
        return await self._activity.current(inputs.uuid(session_id))

    async def subscribe_to_activities(
        self, session_id: UUID | str, on_activity: Callback[UserActivity]
    ) -> Subscription[UserActivity]:
        """Call back with each change of a user's activity; returns when changes really flow.

        Raises:
            SubscribeFailed: Realtime refused, or did not confirm in time.

        """
        subscription = await self._subscribe(inputs.uuid(session_id))
        subscription.deliver_to(on_activity)
        return subscription

    async def stream(self, session_id: UUID | str) -> AsyncIterator[UserActivity]:
        """Yield each change of a user's activity. The async-iterator form of subscribe_to_activities()."""
        subscription = await self._subscribe(inputs.uuid(session_id))
        try:
            async for activity in subscription:
                yield activity
        finally:
            await subscription.unsubscribe()

    def cleanup(self) -> None:
        """Cancel the timers that would set users idle."""
        for user in list(self._timers):
            self._stop_timer(user)
        for task in self._going_idle:
            task.cancel()

    def _was_just_sent(self, user: _User, activity: ActivityType) -> bool:
        last, at = self._sent.get(user, (None, 0.0))
        return activity is last and time.monotonic() - at < _SEND_EVERY

    def _stop_timer(self, user: _User) -> None:
        timer = self._timers.pop(user, None)
        if timer is not None:
            timer.cancel()

    def _go_idle(self, user: _User) -> None:
        del self._timers[user]
        self._sent.pop(user, None)
        task = asyncio.ensure_future(self._send(user, ActivityType.IDLE))
        self._going_idle.add(task)
        task.add_done_callback(self._going_idle.discard)

    async def _send(self, user: _User, activity: ActivityType) -> None:
        session_id, user_id = user
        row = UserActivityInsert(session_id=session_id, user_id=user_id, activity_type=activity)
        try:
            async with self._in_order[user]:
                with deadline(_STALE):
                    await self._activity.upsert(row)
        except BabelroomError as error:
            self._sent.pop(user, None)
            logger.warning("Activity %s of user %s was not shown: %s", activity, user_id, error)

    async def _subscribe(self, session_id: UUID) -> Subscription[UserActivity]:
        subscription = Subscription[UserActivity]()
        rows = RowStream(subscription, UserActivity, partial(self._activity.current, session_id))
        await self._subscriptions.open(
            subscription,
            table="user_activity",
            row_filter=f"session_id=eq.{session_id}",
            on_change=rows.on_change,
            on_ready=rows.on_ready,
        )
        return subscription
