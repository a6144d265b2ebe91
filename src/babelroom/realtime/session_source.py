"""A session as it is now, each change of it, and its end, which comes by the clock if nobody tells it."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from babelroom.errors import SessionNotFound
from babelroom.models import EndCause, Session, SessionEnded
from babelroom.realtime.row_source import RowSource

_ASK_AGAIN = 1.0
"""Seconds until the database is asked again whether the time is over, where our clock is ahead of its."""

_PATIENCE = 10.0
"""Seconds after the end by our own clock, until that is believed where the database cannot be asked."""


class SessionSource(RowSource[Session]):
    """A Source (see source.py). `is_live` asks by the database's clock."""

    def __init__(self, fetch: Callable[[], Awaitable[Session | None]], is_live: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(Session)
        self._fetch, self._is_live = fetch, is_live
        self._told: Session | None = None
        self._has_ended = False
        self._ends_at = math.inf
        self._is_due = False

    @property
    def is_finished(self) -> bool:
        return self._has_ended and not self._pending

    def due(self) -> float:
        return math.inf if self._is_due or self._has_ended else self._ends_at

    def hand_out(self, room: int) -> list[Session]:
        if time.monotonic() >= self.due():
            self._is_due = True
            self.ring()
        return super().hand_out(room)

    async def _fetch_rows(self) -> Sequence[Session]:
        try:
            session = await self._fetch()
            is_over = self._is_due and session == self._told and not await self._is_live()
        except Exception:
            if self._told is None or not self._is_due or time.monotonic() < self._ends_at + _PATIENCE:
                raise
            session, is_over = self._told, True
        if session is None and self._told is None:
            raise SessionNotFound
        if is_over:
            self._end(session or self._told, EndCause.EXPIRED)
        elif self._is_due:
            self._is_due, self._ends_at = False, time.monotonic() + _ASK_AGAIN
        return [session] if session else []

    def _see_picture(self, rows: Sequence[Session]) -> None:
        self._see(rows[0] if rows else None)

    def _see_change(self, row: Session | None) -> None:
        # Events come late, and rows of sessions are not numbered: only an end is believed, else the row is fetched.
        if row is None or not row.is_active:
            self._see(row)
        elif row != self._told:
            self.ring()

    def _see(self, row: Session | None) -> None:
        if self._has_ended:
            return
        if row is None or not row.is_active:
            was_in_time = self._told is None or row is None or row.expires_at < self._told.expires_at
            self._end(row or self._told, EndCause.CLOSED if was_in_time else EndCause.EXPIRED)
            return
        left = (row.expires_at - datetime.now(UTC)).total_seconds()
        if row == self._told:
            # The clock that waits stands still while the machine sleeps.
            self._ends_at = time.monotonic() + max(left, _ASK_AGAIN)
            return
        self._told = row
        self._pending.append(row)
        self._is_due = False
        self._ends_at = time.monotonic() + left

    def _end(self, last: Session | None, cause: EndCause) -> None:
        if last is not None:
            self._has_ended = True
            self._pending.append(SessionEnded(**dict(last), cause=cause))
