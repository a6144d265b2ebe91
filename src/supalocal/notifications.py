"""Waits for the database's notifications without waking up meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import AsyncConnection


async def notified(connection: AsyncConnection[Any]) -> None:
    """Return when there is a notification; all that are there are taken.

    psycopg's own waiting looks for interrupts ten times a second: most of what an idle stack would do.
    Raises psycopg.OperationalError when the connection ends.
    """
    loop, descriptor, readable = asyncio.get_running_loop(), connection.fileno(), asyncio.Event()
    while not [one async for one in connection.notifies(timeout=0)]:
        readable.clear()
        loop.add_reader(descriptor, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(descriptor)
