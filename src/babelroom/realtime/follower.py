"""Drives a source for as long as its subscription runs: events, fetches, polls, and the state that they make."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from babelroom.backoff import Backoff
from babelroom.deadlines import deadline
from babelroom.errors import ClientClosed, SubscribeFailed, SupabaseError, is_transient
from babelroom.realtime.socket import Change, Lost
from babelroom.realtime.source import Source
from babelroom.realtime.status import State, Status
from babelroom.realtime.subscription import Subscription

logger = logging.getLogger("babelroom")

T = TypeVar("T")

_FETCH_DEADLINE = 5.0
"""Seconds that a fetch may take, retries included, before the state says that there is no answer."""

_FETCH_AGAIN = (0.5, 1.0, 2.0, 4.0)
"""Seconds between fetches that fail while changes flow."""

_TICK = 0.25
"""Seconds between looks for what is due while a fetch waits."""

_IDLE_GROWTH = (1.0, 1.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
"""Between polls that bring nothing, in poll intervals."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    look: float = 30.0
    """Between looks for what was missed while changes flow and nothing says so."""
    doubt: float = 5.0
    """For an event to come after a look found what no event had told."""


class Follower(Generic[T]):
    """Hears the channel (a Listener, see connection.py), and runs as a task of its own."""

    is_essential = True

    def __init__(
        self,
        subscription: Subscription[T],
        status: Status,
        source: Source[T],
        *,
        poll_interval: float,
        renew: Callable[[str], None],
        patience: Patience = Patience(),
    ) -> None:
        self._subscription = subscription
        self._status = status
        self._source = source
        self._renew = renew
        self._patience = patience
        self._polls = Backoff([growth * poll_interval for growth in _IDLE_GROWTH])
        self._retries = Backoff(_FETCH_AGAIN)
        self._wake = asyncio.Event()
        self._is_flowing = self._is_away = self._was_complete = False
        self._fetch_at = time.monotonic()
        self._look_at = math.inf
        self._lost_reason = ""
        self._runs = 0
        self._events = 0
        self._event_at: float | None = None
        self._doubt = _Doubt(math.inf, 0)
        self._complete_at = time.monotonic()
        self.gaps_repaired = 0
        """Fetches that brought what no event had told."""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when what happens from then on will be told, by events or by polls."""
        subscription.on_taken = self._on_taken

    @property
    def lag(self) -> float:
        """Seconds for which something may have been missing; 0 while nothing is."""
        return 0.0 if self._is_complete else time.monotonic() - self._complete_at

    @property
    def last_event_age(self) -> float | None:
        """Seconds since Realtime last told something; None: never yet."""
        return None if self._event_at is None else time.monotonic() - self._event_at

    def on_event(self, event: Change) -> None:
        self._note_complete()
        self._events += 1
        self._event_at = time.monotonic()
        if self._subscription.room and not self._source.has_more:
            self._source.take(event)
            self._hand_out()
        else:
            self._source.ring()  # it stays in the database until there is room for it
        self._wake.set()

    def on_flowing(self) -> None:
        self._note_complete()
        self._is_flowing, self._is_away = True, False
        self._look_at, self._doubt = math.inf, _Doubt(math.inf, 0)
        self._source.ring()
        self._fetch_at = time.monotonic()
        self._status.change(State.CATCHING_UP, "Changes flow; what was missed before is fetched.")
        self._open()
        self._wake.set()

    def on_lost(self, lost: Lost) -> None:
        self._note_complete()
        self._is_flowing, self._lost_reason = False, lost.reason
        if lost.is_refusal and not self.opened.done():
            self.give_up(SubscribeFailed(f"{SubscribeFailed.__doc__} ({lost.reason})"))
        if not self._is_away:
            self._is_away = True
            self._polls.reset()
            self._look_at = time.monotonic() + (self._polls.next() if self.opened.done() else 0)
        if self._status.current.state is not State.POLLING:
            self._status.change(State.DISCONNECTED, lost.reason)
        self._wake.set()

    def give_up(self, error: Exception) -> None:
        """It was not opened, for this reason."""
        if not self.opened.done():
            self.opened.set_exception(error)
            self.opened.exception()  # heard, also where nobody waits any more

    async def run(self) -> None:
        """Fetch whenever something may be missing, until nothing more can come."""
        self._runs += 1
        if self._runs > 1:
            self._source.ring()  # whatever ended it the last time may have lost something
        while not self._source.is_finished:
            # Not wait_for: Python 3.11's may swallow a cancellation that meets the wake-up.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
            self._wake.clear()
            self._note_complete()
            self._check_doubt()
            self._hand_out()
            is_look = time.monotonic() >= self._look_at
            if is_look:
                self._source.ring()
                self._look_at = math.inf  # the next one is due some time after the fetch
            if self._must_fetch and time.monotonic() >= self._fetch_at:
                await self._fetch_beside_the_clock(is_look=is_look)
        self._subscription.finish("Nothing more can come.")
        self._open()

    @property
    def _must_fetch(self) -> bool:
        return self._source.is_behind and not self._source.has_more and self._subscription.room > 0

    @property
    def _is_complete(self) -> bool:
        return self._status.current.state in (State.LIVE, State.CLOSED) and not self._source.is_behind

    def _pause(self) -> float | None:
        """Seconds until there is something to do without any news; None: never."""
        times = [self._look_at, self._doubt.until]
        if self._subscription.room:
            times.append(self._source.due())
        if self._must_fetch:
            times.append(self._fetch_at)
        first = min(times)
        return None if first == math.inf else max(0.0, first - time.monotonic())

    async def _fetch_beside_the_clock(self, *, is_look: bool) -> None:
        """Fetch; it may wait for long, and what is due meanwhile is told meanwhile."""
        fetching = asyncio.create_task(self._fetch(is_look=is_look))
        try:
            while not fetching.done():
                await asyncio.wait([fetching], timeout=_TICK)
                self._hand_out()
            await fetching
        finally:
            fetching.cancel()

    async def _fetch(self, *, is_look: bool) -> None:
        events, was_flowing = self._events, self._is_flowing
        try:
            with deadline(_FETCH_DEADLINE):
                found = await self._source.fetch()
        except ClientClosed:
            raise
        except Exception as error:  # noqa: BLE001  nothing but the end of the subscription may end this
            self._take_failure(error)
            return
        self._retries.reset()
        if found:
            self._polls.reset()
            self.gaps_repaired += self._was_complete
            if is_look and was_flowing and events == self._events:
                self._doubt = _Doubt(time.monotonic() + self._patience.doubt, events)
        self._look_at = self._next_look()
        if not self._source.is_behind:
            self._take_completion()

    def _take_failure(self, error: Exception) -> None:
        logger.info("What may be missing could not be fetched yet: %s", error)
        if not self.opened.done() and isinstance(error, SupabaseError) and not is_transient(error):
            self.give_up(error)
        if self._is_away:
            self._status.change(State.DISCONNECTED, str(error))
        elif self._is_flowing:
            self._status.change(State.CATCHING_UP, f"What is missing could not be fetched yet. {error}")
        self._source.ring()
        self._fetch_at = time.monotonic() + self._retries.next()
        self._look_at = math.inf

    def _take_completion(self) -> None:
        self._was_complete, self._complete_at = True, time.monotonic()
        if self._is_flowing:
            self._status.change(State.LIVE, "Changes flow, and nothing is missing.")
        elif self._is_away:
            self._status.change(State.POLLING, f"Realtime is away, REST answers. {self._lost_reason}")
            self._open()

    def _next_look(self) -> float:
        if self._is_away:
            return time.monotonic() + self._polls.next()
        return time.monotonic() + self._patience.look if self._is_flowing else math.inf

    def _check_doubt(self) -> None:
        """A channel that told nothing of what a look found, and still does not, is joined anew."""
        if time.monotonic() < self._doubt.until:
            return
        if self._is_flowing and self._events == self._doubt.events:
            self._renew("It told nothing of what was fetched.")
        self._doubt = _Doubt(math.inf, 0)

    def _hand_out(self) -> None:
        for item in self._source.hand_out(self._subscription.room):
            self._subscription.put(item)

    def _on_taken(self) -> None:
        was_full = self._subscription.room == 1  # then what is due has waited too
        if was_full or self._source.has_more or self._source.is_behind:
            self._wake.set()

    def _note_complete(self) -> None:
        if self._is_complete:
            self._complete_at = time.monotonic()

    def _open(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)


@dataclass(frozen=True, slots=True)
class _Doubt:
    until: float
    events: int
    """How many had come when it arose."""
