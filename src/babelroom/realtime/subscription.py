"""What subscribe_* hand out: a running subscription that can be iterated, called back from, and ended."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from babelroom.errors import ClientClosed
from babelroom.realtime.connection import Listening

logger = logging.getLogger("babelroom")

T = TypeVar("T")
Callback = Callable[[T], object] | Callable[[T], Awaitable[object]]


class Subscription(Generic[T]):
    """A running subscription. End it by unsubscribe(); ending the client ends it too."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[T | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._listening: Listening | None = None
        self.is_ended = False

    async def unsubscribe(self) -> None:
        """Stop: nothing is delivered any more, and an iteration ends. Unsubscribing twice does nothing."""
        if self.is_ended:
            return
        self.is_ended = True
        self._items.put_nowait(None)
        for task in self._tasks:
            if task is not asyncio.current_task():  # a callback may unsubscribe itself
                task.cancel()
        if self._listening is not None:
            await self._listening.close()

    def put(self, item: T) -> None:
        self._items.put_nowait(item)

    def attach(self, listening: Listening) -> None:
        self._listening = listening

    def run(self, work: Awaitable[None]) -> None:
        """Run a task that belongs to this subscription: it ends with it, and does not die unheard."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(_report)
        self._tasks.append(task)

    def deliver_to(self, callback: Callback[T]) -> None:
        self.run(self._call_back(callback))

    async def __aiter__(self) -> AsyncIterator[T]:
        while not self.is_ended:
            item = await self._items.get()
            if item is None or self.is_ended:
                self._items.put_nowait(None)  # for whoever else iterates
                return
            yield item

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


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, ClientClosed):
        logger.error("A subscription stopped unexpectedly", exc_info=error)
