"""Clients behind a network that fails, and one before it that writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from support import faults, scripted

from babelroom import Babelroom, Settings
from supalocal.testing.clients import Supabase

QUICK = {"reconnect_delays": (0.05, 0.1), "heartbeat_interval": 0.3, "poll_interval": 0.1}

Connect = Callable[..., Babelroom]


@pytest.fixture
async def network(supabase: Supabase) -> AsyncIterator[faults.FaultProxy]:
    """What lies between the clients of `connect` and the clean Supabase."""
    async with faults.proxy(supabase.stack.url) as made:
        yield made


@pytest.fixture
async def connect(network: faults.FaultProxy, supabase: Supabase) -> AsyncIterator[Connect]:
    """Makes clients behind the network, quick to notice and to try again; they are closed at the end."""
    async with AsyncExitStack() as opened:

        def client(**settings: Any) -> Babelroom:
            stack = supabase.stack
            wanted = {"supabase_url": network.url, "supabase_key": stack.publishable_key, **QUICK, **settings}
            made = Babelroom(Settings(**wanted))
            opened.push_async_callback(made.close)
            return made

        yield client
        network.resume()  # nobody waits at the end for an answer that the test held up


@pytest.fixture
async def writer(room: Babelroom) -> Babelroom:
    """A client before the network, which nothing disturbs."""
    return room


@pytest.fixture
def received() -> asyncio.Queue[Any]:
    """Where a callback puts what it gets."""
    return asyncio.Queue()


@pytest.fixture
async def server() -> AsyncIterator[scripted.Server]:
    """A Realtime that says what the test tells it to say."""
    async with scripted.serve() as served:
        yield served


@pytest.fixture
async def scripted_client(server: scripted.Server) -> AsyncIterator[Babelroom]:
    """A client of that server."""
    async with Babelroom(Settings(supabase_url=server.url, supabase_key="sb_publishable_x", **QUICK)) as client:
        yield client
