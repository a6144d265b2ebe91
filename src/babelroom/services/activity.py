"""Activity: who is typing, recording or waiting for a translation."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from babelroom import inputs
from babelroom.deadlines import deadline
from babelroom.errors import BabelroomError, ClientClosed
from babelroom.models import ActivityType, UserActivity, UserActivityInsert
from babelroom.realtime.activity_source import ActivitySource
from babelroom.realtime.socket import Rows
from babelroom.realtime.stream import Stream
from babelroom.realtime.subscription import Callback, Subscription
from babelroom.realtime.subscriptions import Subscriptions
from babelroom.repositories.activity import ActivityRepository

logger = logging.getLogger("babelroom")

IDLE_AFTER = 3.0
"""Seconds without a new call until a user counts as idle; the founding spec's number."""

_SEND_EVERY = 1.0
"""Seconds within which the same activity of a user is sent once: a keystroke is not a request."""

_RENEW_EVERY = 2.0
"""Seconds between renewals of an activity that goes on: well before it would be taken for over."""

_WORTH = 3.0
"""Seconds after which an activity is not worth sending any more."""

_User = tuple[UUID, UUID]


@dataclass(slots=True)
class _Shown:
    """What one user shows, and what of it has been sent."""

    wanted: ActivityType | None = None
    last: ActivityType | None = None
    sent_at: dict[ActivityType, float] = field(default_factory=dict)
    idle_timer: asyncio.TimerHandle | None = None
    sending: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wait(self, activity: ActivityType) -> float:
        """Seconds until this activity may be sent again."""
        return max(0.0, self.sent_at.get(activity, -_SEND_EVERY) + _SEND_EVERY - time.monotonic())


class ActivityService:
    """The founding spec's ActivityService. Reached as `Babelroom.activity`."""

    def __init__(self, activity: ActivityRepository, subscriptions: Subscriptions) -> None:
        self._activity = activity
        self._subscriptions = subscriptions
        self._shown: dict[_User, _Shown] = {}
        self._busy: Counter[_User] = Counter()

    async def update_activity(
        self, session_id: UUID | str, user_id: UUID | str, activity_type: ActivityType | str
    ) -> None:
        """Show what the user is doing; 3 seconds after the last call they are idle again.

        Call it at every keystroke: each activity of a user is sent at most once a second, the latest wins, and only
        the call that sends at once waits for the answer. What Supabase refuses is logged and never raised, so that
        typing goes on.

        Raises:
            InvalidInput: an id is not a UUID, or there is no such activity.
        """
        user = (inputs.uuid(session_id), inputs.uuid(user_id))
        activity = inputs.activity(activity_type)
        shown = self._shown.setdefault(user, _Shown())
        self._stop_timer(shown)
        if activity is not ActivityType.IDLE:
            loop = asyncio.get_running_loop()
            shown.idle_timer = loop.call_later(IDLE_AFTER, self._time_out, user)
        if self._want(user, activity) and shown.sending is not None:
            await asyncio.wait([shown.sending])  # not the task itself: cleanup() may cancel it under us

    @asynccontextmanager
    async def showing(
        self, session_id: UUID | str, user_id: UUID | str, activity_type: ActivityType | str
    ) -> AsyncIterator[None]:
        """Show the activity for as long as the block takes, however long that is; after it the user is idle.

        The block does not wait for it to be shown, and what Supabase refuses does not disturb it.

        Raises:
            InvalidInput: an id or activity is refused.
        """
        user, activity = (inputs.uuid(session_id), inputs.uuid(user_id)), inputs.activity(activity_type)
        renewing = asyncio.create_task(self._renew(user, activity))
        self._busy[user] += 1
        try:
            yield
        finally:
            renewing.cancel()
            self._busy[user] -= 1
            await asyncio.wait([renewing])
            if not self._busy[user]:  # else another block goes on
                del self._busy[user]
                await self.update_activity(*user, ActivityType.IDLE)

    async def get_session_activities(self, session_id: UUID | str) -> list[UserActivity]:
        """What the session's users are doing now: neither idle nor older than 5 seconds, by the database's clock."""
        return await self._activity.current(inputs.uuid(session_id))

    async def subscribe_to_activities(
        self, session_id: UUID | str, on_activity: Callback[UserActivity]
    ) -> Subscription[UserActivity]:
        """Call back with each change of a user's activity, beginning with who is active now.

        It returns when changes will be told, live or by polls. After a lost connection the current picture comes first.
        An activity of which nothing is heard for 5 seconds is told as idle.

        Raises:
            SubscribeFailed: Realtime refused, or neither Realtime nor REST could be had in time.
        """
        subscription = await self._subscribe(inputs.uuid(session_id))
        subscription.deliver_to(on_activity)
        return subscription

    def stream(self, session_id: UUID | str) -> Stream[UserActivity]:
        """Yield each change of a user's activity. The async-iterator form of subscribe_to_activities()."""
        return Stream(partial(self._subscribe, inputs.uuid(session_id)))

    def cleanup(self) -> None:
        """Cancel the timers that would set users idle, and what waits to be sent."""
        for shown in self._shown.values():
            self._stop_timer(shown)
            if shown.sending is not None:
                shown.sending.cancel()
        self._shown.clear()

    async def go_idle(self) -> None:
        """Show everybody whom this client showed active as idle, and clean up."""
        idle = (None, ActivityType.IDLE)
        active = [user for user, shown in self._shown.items() if shown.idle_timer or shown.last not in idle]
        self.cleanup()
        await asyncio.gather(*(self._send(user, ActivityType.IDLE) for user in active))

    async def _renew(self, user: _User, activity: ActivityType) -> None:
        while True:
            await self.update_activity(*user, activity)
            await asyncio.sleep(_RENEW_EVERY)

    def _time_out(self, user: _User) -> None:
        self._shown[user].idle_timer = None
        self._want(user, ActivityType.IDLE)

    def _want(self, user: _User, activity: ActivityType) -> bool:
        """Have the activity sent; whether that happens at once."""
        shown = self._shown[user]
        shown.wanted = activity
        if activity is shown.last and shown.wait(activity):
            shown.wanted = None  # it is what everybody sees already
            return False
        shown.changed.set()
        if shown.sending is None:
            shown.sending = asyncio.ensure_future(self._send_wanted(user, shown))
        return not shown.wait(activity)

    async def _send_wanted(self, user: _User, shown: _Shown) -> None:
        """One task a user: what is wanted by the time that it may be sent."""
        try:
            while (activity := shown.wanted) is not None:
                shown.changed.clear()
                if wait := shown.wait(activity):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            await shown.changed.wait()
                    continue
                shown.wanted, shown.sent_at[activity] = None, time.monotonic()
                shown.last = activity
                if not await self._send(user, activity):
                    shown.last = None
        finally:
            shown.sending = None
        if shown.last is ActivityType.IDLE and shown.idle_timer is None:
            self._shown.pop(user, None)

    @staticmethod
    def _stop_timer(shown: _Shown) -> None:
        if shown.idle_timer is not None:
            shown.idle_timer.cancel()
            shown.idle_timer = None

    async def _send(self, user: _User, activity: ActivityType) -> bool:
        session_id, user_id = user
        row = UserActivityInsert(session_id=session_id, user_id=user_id, activity_type=activity)
        try:
            with deadline(_WORTH):
                await self._activity.upsert(row)
        except (BabelroomError, ClientClosed) as error:
            logger.warning("Activity %s of user %s was not shown: %s", activity, user_id, error)
            return False
        return True

    async def _subscribe(self, session_id: UUID) -> Subscription[UserActivity]:
        source = ActivitySource(partial(self._activity.current, session_id))
        return await self._subscriptions.open(source, Rows("user_activity", f"session_id=eq.{session_id}"))
