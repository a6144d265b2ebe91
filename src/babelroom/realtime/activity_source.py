"""What each user of a session is doing, which ends by itself if nothing more is heard of it."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from babelroom.models import ActivityType, UserActivity
from babelroom.realtime.row_source import RowSource

STALE = 5.0
"""Seconds without a sign after which a remote activity has ended; the founding spec's number."""


class ActivitySource(RowSource[UserActivity]):
    """A Source (see source.py). `fetch` returns who is active now."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[UserActivity]]]) -> None:
        super().__init__(UserActivity)
        self._fetch = fetch
        self._told: dict[UUID, UserActivity] = {}
        self._ends: dict[UUID, float] = {}

    def due(self) -> float:
        return min(self._ends.values(), default=math.inf)

    def hand_out(self, room: int) -> list[UserActivity]:
        now = time.monotonic()
        for user in [user for user, end in self._ends.items() if end <= now]:
            self._end(user)
        return super().hand_out(room)

    async def _fetch_rows(self) -> Sequence[UserActivity]:
        return await self._fetch()

    def _see_picture(self, rows: Sequence[UserActivity]) -> None:
        for row in rows:
            self._see_change(row)
        for user in self._ends.keys() - {row.user_id for row in rows}:
            self._end(user)

    def _see_change(self, row: UserActivity | None) -> None:
        if row is None:
            return
        told = self._told.get(row.user_id)
        # The database stamps every sign; one that has been told, or has ended by itself since, is no news.
        if told is not None and row.updated_at <= told.updated_at:
            return
        self._told[row.user_id] = row
        self._pending.append(row)
        if row.activity_type is ActivityType.IDLE:
            self._ends.pop(row.user_id, None)
        else:
            self._ends[row.user_id] = time.monotonic() + STALE

    def _end(self, user: UUID) -> None:
        """Tell that they are idle."""
        del self._ends[user]
        idle = self._told[user].model_copy(update={"activity_type": ActivityType.IDLE})
        self._told[user] = idle
        self._pending.append(idle)
