"""Runs an async resource in a thread with its own event loop, for synchronous code."""

from __future__ import annotations

import asyncio
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_Resource = TypeVar("_Resource", bound=AbstractAsyncContextManager[object])


@contextmanager
def running(resource: _Resource) -> Iterator[_Resource]:
    """Enter the resource in another thread and leave it there at the end; its errors are raised here."""
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = Future()
    ready: Future[None] = Future()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="supalocal") as thread:
        ended = thread.submit(lambda: asyncio.run(_live(resource, begun, ready)))
        loop, task = begun.result()
        try:
            wait([ready, ended], return_when=FIRST_COMPLETED)
            if ready.done():
                yield resource
        finally:
            with suppress(RuntimeError):  # the loop is closed already where starting failed
                loop.call_soon_threadsafe(task.cancel)
            with suppress(asyncio.CancelledError):
                ended.result()


async def _live(
    resource: AbstractAsyncContextManager[object],
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]],
    ready: Future[None],
) -> None:
    task = asyncio.current_task()
    if task is None:
        raise AssertionError("asyncio.run always runs a task")
    begun.set_result((asyncio.get_running_loop(), task))
    async with resource:
        ready.set_result(None)
        await asyncio.Event().wait()
