"""Hands on the partial translations of a session as they come: what is lost is neither missed nor fetched."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from babelroom.errors import InvalidInput
from babelroom.realtime.partial_feed import PartialFeed
from babelroom.realtime.socket import Broadcast, Lost
from babelroom.realtime.status import State, Status
from babelroom.realtime.subscription import Subscription
from babelroom.results import Partial

logger = logging.getLogger("babelroom")

Read = Callable[[object], Partial]
"""Makes a partial of a payload, or raises InvalidInput: anybody with the public key may have sent it."""

CAPACITY = 1
"""Partials that a subscription holds itself: while they wait here, the latest takes the place of the one before."""


class PartialFollower:
    """Hears the channel (a Listener, see connection.py)."""

    is_essential = False
    gaps_repaired = 0
    lag = 0.0
    """Nothing counts as missing."""

    def __init__(self, subscription: Subscription[Partial], status: Status, read: Read) -> None:
        self._subscription = subscription
        self._status = status
        self._read = read
        self._feed = PartialFeed()
        self._event_at: float | None = None
        self._has_complained = False
        subscription.on_taken = self._hand_out

    @property
    def last_event_age(self) -> float | None:
        """Seconds since Realtime last told something; None: never yet."""
        return None if self._event_at is None else time.monotonic() - self._event_at

    def on_event(self, event: Broadcast) -> None:
        self._event_at = time.monotonic()
        try:
            self._feed.take(self._read(event.payload))
        except InvalidInput as error:
            self._complain(error)
        else:
            self._hand_out()

    def on_flowing(self) -> None:
        self._status.change(State.LIVE, "Partial translations come as they are sent.")

    def on_lost(self, lost: Lost) -> None:
        self._status.change(
            State.DISCONNECTED,
            f"Partial translations are lost meanwhile; the messages come without them. {lost.reason}",
        )

    def _complain(self, error: InvalidInput) -> None:
        """Once: whoever sends such things sends many."""
        if not self._has_complained:
            self._has_complained = True
            logger.warning("What was sent as a partial translation is none, and is dropped: %.300s", error)

    def _hand_out(self) -> None:
        for partial in self._feed.hand_out(self._subscription.room):
            self._subscription.put(partial)
