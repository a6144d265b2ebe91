"""Unmodified supabase-py clients, with either form of the keys."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import httpx
import pytest
from realtime import RealtimeSubscribeStates

from supabase import AsyncClientOptions, acreate_client

SECONDS = 10


@pytest.fixture
async def client(clients_stack, keys):
    """Makes clients with the public key, or another."""
    async with AsyncExitStack() as opened:

        async def make(key=keys[0], **headers):
            http = await opened.enter_async_context(httpx.AsyncClient())
            options = AsyncClientOptions(headers=headers, httpx_client=http, auto_refresh_token=False)
            made = await acreate_client(clients_stack.url, key, options)
            opened.push_async_callback(made.realtime.close)
            return made

        yield make


@pytest.fixture
async def anyone(client):
    """A client with the public key."""
    return await client()


@pytest.fixture
async def admin(client, keys):
    """A client with the secret key."""
    return await client(keys[1])


@pytest.fixture
def member(client):
    """Makes clients signed in as fresh anonymous users."""

    async def make():
        made = await client()
        await made.auth.sign_in_anonymously()
        return made

    return make


@pytest.fixture
def room(anyone):
    """Makes rooms."""

    async def make(**columns):
        return (await anyone.table("rooms").insert({"name": str(uuid4()), **columns}).execute()).data[0]

    return make


@pytest.fixture
def join():
    """Joins a channel; raises what refused it."""

    async def joined(channel):
        refused = []
        async with asyncio.timeout(SECONDS):
            await channel.subscribe(lambda state, error: refused.append((state, error)))
        (state, error), *_ = refused
        if state is not RealtimeSubscribeStates.SUBSCRIBED:
            raise error or TimeoutError(state)
        return channel

    return joined


class Inbox(asyncio.Queue):
    """What a callback was called with, in order."""

    def put(self, *arguments):
        self.put_nowait(arguments[0] if len(arguments) == 1 else arguments)

    async def next(self):
        async with asyncio.timeout(SECONDS):
            return await self.get()


@pytest.fixture
def inbox():
    """Makes inboxes."""
    return Inbox
