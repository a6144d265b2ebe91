"""Background tasks that cannot die quietly: one that ends by an error is logged, counted and started again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from babelroom.deadlines import without_deadline
from babelroom.errors import ClientClosed

logger = logging.getLogger("babelroom")

_END = 3.0
"""Seconds that ending may take. What then still runs is left to its own end."""

Work = Callable[[], Coroutine[Any, Any, None]]


class Tasks:
    """The tasks of one client."""

    def __init__(self, *, restart_delay: float = 0.5) -> None:
        self._restart_delay = restart_delay
        self.restarts = 0
        """How often one ended unexpectedly."""
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Work, name: str) -> asyncio.Task[None]:
        """Run the work until it returns or is cancelled.

        The caller's deadline is not its own: it outlives the block that it was started in.
        """
        task = asyncio.create_task(self._keep_running(work, name), name=f"babelroom {name}", context=without_deadline())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def end(self) -> None:
        """Cancel all and wait for them."""
        ending = self._running - {asyncio.current_task()}
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending, timeout=_END)

    async def _keep_running(self, work: Work, name: str) -> None:
        while True:
            try:
                return await work()
            except ClientClosed:
                return None
            except Exception:
                self.restarts += 1
                logger.exception("The task of %s ended unexpectedly, and is started again", name)
                await asyncio.sleep(self._restart_delay)
