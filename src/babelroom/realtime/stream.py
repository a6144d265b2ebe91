"""A subscription as `async for` takes it: made at the first step, ended when the loop is left."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from babelroom.realtime.subscription import Subscription

T = TypeVar("T")

_ending: set[asyncio.Task[None]] = set()


class Stream(AsyncIterator[T], Generic[T]):
    """What stream() returns: iterate over it, or use it in `async with` to say where it ends.

    A step that is cancelled, such as by a timeout, loses nothing: the next one goes on.
    """

    def __init__(self, subscribe: Callable[[], Awaitable[Subscription[T]]]) -> None:
        self._subscribe = subscribe
        self._is_closed = False
        self.subscription: Subscription[T] | None = None
        """The running subscription, with its states; None before the first step."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __anext__(self) -> T:
        if self._is_closed:
            raise StopAsyncIteration
        if self.subscription is None:
            self.subscription = await self._subscribe()
            # Leaving a loop tells its iterator nothing; an async generator's own end is made in the same way.
            weakref.finalize(self, _abandon, asyncio.get_running_loop(), self.subscription).atexit = False
        try:
            return await anext(self.subscription)
        except StopAsyncIteration:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """End the subscription. Closing twice does nothing."""
        self._is_closed = True
        if self.subscription is not None:
            await self.subscription.unsubscribe()


def _abandon(loop: asyncio.AbstractEventLoop, subscription: Subscription[Any]) -> None:
    if not subscription.is_ended and not loop.is_closed():
        loop.call_soon_threadsafe(_end, loop, subscription)


def _end(loop: asyncio.AbstractEventLoop, subscription: Subscription[Any]) -> None:
    task = loop.create_task(subscription.unsubscribe())
    _ending.add(task)
    task.add_done_callback(_ending.discard)
