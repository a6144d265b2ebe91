"""A subscription as `async for` takes it: made at the first step, ended when the loop is left."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from babelroom.realtime.subscription import Subscription

T = TypeVar("T")

_ending: set[asyncio.Task[None]] = set()


class Stream(AsyncIterator[T], Generic[T]):
    """What stream() returns: iterate over it, or use it in `async with` to say where it ends.

    A step that is cancelled, such as by a timeout, loses nothing: the next one goes on.
    """

    def __init__(self, subscribe: Callable[[], Coroutine[Any, Any, Subscription[T]]]) -> None:
        self._subscribe = subscribe
        self._opening: asyncio.Task[Subscription[T]] | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None
        self._is_closed = False

    @property
    def subscription(self) -> Subscription[T] | None:
        """The running subscription, with its states; None before the first step has made it."""
        if self._opening is None or not self._opening.done() or self._opening.cancelled() or self._opening.exception():
            return None
        return self._opening.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __anext__(self) -> T:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            return await anext(await self._opened())
        except StopAsyncIteration:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """End the subscription. Closing twice does nothing."""
        self._is_closed = True
        if self._finalizer is not None:
            self._finalizer.detach()
        if self._opening is not None:
            await _end(self._opening)

    async def _opened(self) -> Subscription[T]:
        """The subscription, which all steps open together: one that is cancelled leaves it to the next."""
        if self._opening is None or (self._opening.done() and self.subscription is None):
            self._opening = asyncio.create_task(self._subscribe())
            # Leaving a loop tells its iterator nothing; an async generator's own end is made in the same way.
            self._finalizer = weakref.finalize(self, _abandon, asyncio.get_running_loop(), self._opening)
            self._finalizer.atexit = False
        try:
            return await asyncio.shield(self._opening)
        except asyncio.CancelledError:
            if self._is_closed and self._opening.cancelled():
                raise StopAsyncIteration from None
            raise


async def _end(opening: asyncio.Task[Subscription[Any]]) -> None:
    opening.cancel()
    await asyncio.wait([opening])
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().unsubscribe()


def _abandon(loop: asyncio.AbstractEventLoop, opening: asyncio.Task[Subscription[Any]]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(_end_later, loop, opening)


def _end_later(loop: asyncio.AbstractEventLoop, opening: asyncio.Task[Subscription[Any]]) -> None:
    task = loop.create_task(_end(opening))
    _ending.add(task)
    task.add_done_callback(_ending.discard)
