"""Following what a subscription tells, and the states that it goes through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from babelroom import Babelroom, Message, State, StateChange, Subscription

WITHIN = 20.0
"""Seconds that anything awaited may take: an end for a test that fails, no measure."""


async def reach(watched: Babelroom | Subscription[Any], state: State) -> StateChange:
    """Wait until it stands so, which it may already."""
    return (await path(watched.states(), state))[-1]


async def path(states: AsyncIterator[StateChange], end: State) -> list[StateChange]:
    """The next states, up to the first one that is `end`. The same iterator can be followed on."""
    passed = []
    async with asyncio.timeout(WITHIN):
        while not passed or passed[-1].state is not end:
            passed.append(await anext(states))
    return passed


async def take(received: asyncio.Queue[Any], count: int = 1) -> list[Any]:
    """The next so many that a callback has put there."""
    async with asyncio.timeout(WITHIN):
        return [await received.get() for _ in range(count)]


async def write(writer: Babelroom, session: UUID, count: int, *, first: int = 0) -> list[Message]:
    """So many messages, whose texts are numbers."""
    return [
        await writer.messages.create_message(session, session, f"{number}", "en", "es")
        for number in range(first, first + count)
    ]


def texts(messages: list[Message]) -> list[str]:
    """What they say."""
    return [message.original for message in messages]


def numbers(count: int, *, first: int = 0) -> list[str]:
    """What write() lets them say."""
    return [f"{number}" for number in range(first, first + count)]
