"""What the tests of subscriptions share: a network that can fail, and clients that notice soon."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from support import faults

from babelroom import Babelroom, Settings

QUICK = {"reconnect_delays": (0.05, 0.1), "heartbeat_interval": 0.3, "poll_interval": 0.1}


@pytest.fixture
async def network(stack):
    """What lies between connect()'s clients and the stack."""
    async with faults.proxy(stack.url) as made:
        yield made


@pytest.fixture
async def connect(stack, network):
    """Makes a client behind the network, with these settings; closed at the end."""
    async with AsyncExitStack() as opened:

        def make(**settings):
            client = Babelroom(
                Settings(supabase_url=network.url, supabase_key=stack.publishable_key, **QUICK | settings)
            )
            opened.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
async def writer(stack):
    """A client that no fault reaches."""
    async with Babelroom.connect(url=stack.url, key=stack.publishable_key) as client:
        yield client
