"""What subscribe_* hand out: a running subscription that can be iterated, called back from, and ended."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, Self, TypeVar

from babelroom.deadlines import without_deadline
from babelroom.realtime.status import State, StateChange, Status

logger = logging.getLogger("babelroom")

T = TypeVar("T")
Callback = Callable[[T], object] | Callable[[T], Awaitable[object]]

_LAST_CALL = 2.0
"""Seconds that a callback which is under way may take to end."""


class Subscription(Generic[T]):
    """A running subscription. End it by unsubscribe(); ending the client ends it too.

    It holds at most as many items as the setting `buffer_size` says: a reader that is slower than the conversation gets
    everything, later, fetched from where it is. Of partials, such a reader gets each message's latest.
    """

    def __init__(self, status: Status, capacity: int) -> None:
        self._status = status
        self._capacity = capacity
        self._items: asyncio.Queue[T | None] = asyncio.Queue()
        self._calling: asyncio.Task[None] | None = None
        self.is_ended = False
        self.on_taken: Callable[[], None] = _nobody
        """Called when there is room for another item."""
        self.on_end: Callable[[], Awaitable[None]] | None = None

    @property
    def current(self) -> StateChange:
        """Where it stands now, and why."""
        return self._status.current

    @property
    def state(self) -> State:
        """Where it stands now."""
        return self._status.current.state

    @property
    def reason(self) -> str:
        """Why it stands there, in a sentence."""
        return self._status.current.reason

    def states(self) -> AsyncIterator[StateChange]:
        """Yield the current state, then each change of it with its reason, until it is closed."""
        return self._status.changes()

    @property
    def room(self) -> int:
        """How many more items it can hold."""
        return max(0, self._capacity - self._items.qsize())

    async def unsubscribe(self) -> None:
        """Stop: nothing is delivered any more, and an iteration ends. Unsubscribing twice does nothing."""
        if not self.is_ended:
            self.is_ended = True
            self._items.put_nowait(None)
            self._status.change(State.CLOSED, "It was ended by the app.")
        try:
            if self._calling is not None and self._calling is not asyncio.current_task():  # a callback may unsubscribe
                self._calling.cancel()
                await asyncio.wait([self._calling], timeout=_LAST_CALL)
        finally:  # also if the caller does not wait for the callback
            if self.on_end is not None:
                on_end, self.on_end = self.on_end, None
                await on_end()

    def put(self, item: T) -> None:
        self._items.put_nowait(item)

    def finish(self, reason: str) -> None:
        """Nothing more will come: an iteration ends after what is there already."""
        self._items.put_nowait(None)
        self._status.change(State.CLOSED, reason)

    def deliver_to(self, callback: Callback[T]) -> None:
        self._calling = asyncio.create_task(
            self._call_back(callback), name="babelroom callback", context=without_deadline()
        )

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """The next item. A wait that is cancelled loses nothing: the item is there the next time."""
        if self.is_ended:
            raise StopAsyncIteration
        item = await self._items.get()
        if item is None or self.is_ended:
            self._items.put_nowait(None)  # for whoever else iterates
            raise StopAsyncIteration
        self.on_taken()
        return item

    async def _call_back(self, callback: Callback[T]) -> None:
        async for item in self:
            try:
                result = callback(item)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                # The app's mistake must not end its subscription.
                logger.exception("A subscription's callback failed")
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                logger.warning("A subscription's callback awaited something that was cancelled")


def _nobody() -> None:
    """Until somebody listens."""
