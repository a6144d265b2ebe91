"""Waiting for what a subscription or a client tells of itself."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from babelroom import State, StateChange


async def reach(watched: Any, state: State, *, within: float = 10.0) -> StateChange:
    """Return as soon as the subscription or client is, or comes, there. Raises TimeoutError."""
    async with asyncio.timeout(within), aclosing(watched.states()) as changes:
        async for change in changes:
            if change.state is state:
                return change
    raise AssertionError(f"It was closed, and never came to be {state}.")
