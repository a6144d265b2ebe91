"""Realtime through supabase-py as it is installed: broadcast, presence, private channels, changes."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from realtime import RealtimeSubscribeStates

from supabase import acreate_client

PATIENCE = 10


@pytest.fixture(params=["publishable_key", "anon_key"])
def key(request, bare_stack):
    """Both forms of the public key."""
    return getattr(bare_stack, request.param)


@pytest.fixture
def connect(bare_stack, key):
    """Opens clients."""

    @asynccontextmanager
    async def opened(with_key=None):
        client = await acreate_client(bare_stack.url, with_key or key)
        try:
            yield client
        finally:
            await client.remove_all_channels()
            await client.realtime.close()

    return opened


class Inbox:
    """Calls of a callback, one after the other."""

    def __init__(self):
        self._calls = asyncio.Queue()

    def __call__(self, *arguments):
        self._calls.put_nowait(arguments)

    async def next(self):
        async with asyncio.timeout(PATIENCE):
            return await self._calls.get()


async def subscribed(channel):
    """Subscribe, and return the state that the client reports."""
    states = Inbox()
    await channel.subscribe(states)
    return await states.next()


SUBSCRIBED = (RealtimeSubscribeStates.SUBSCRIBED, None)


async def test_a_broadcast_arrives(connect):
    """send_broadcast of one client is heard by another."""
    heard = Inbox()
    async with connect() as sender, connect() as receiver:
        assert await subscribed(receiver.channel("py").on_broadcast("ping", heard)) == SUBSCRIBED
        channel = sender.channel("py")
        assert await subscribed(channel) == SUBSCRIBED
        await channel.send_broadcast("ping", {"n": 1})
        [message] = await heard.next()
    assert message["payload"] == {"n": 1}


async def test_a_broadcast_over_http_arrives(connect):
    """http_send needs no subscription."""
    heard = Inbox()
    async with connect() as sender, connect() as receiver:
        await subscribed(receiver.channel("py").on_broadcast("ping", heard))
        await sender.channel("py").http_send("ping", {"n": 1})
        [message] = await heard.next()
    assert message["payload"] == {"n": 1}


async def test_a_broadcast_of_the_database_arrives(connect, db):
    """realtime.send is heard."""
    heard = Inbox()
    async with connect() as receiver:
        await subscribed(receiver.channel("py").on_broadcast("ping", heard))
        await db.execute("""select realtime.send('{"n": 1}', 'ping', 'py', false)""")
        [message] = await heard.next()
    assert (message["payload"]["n"], message["payload"]["id"]) == (1, message["meta"]["id"])


async def test_presence_is_shared(connect):
    """Clients see one another come and go."""
    synced, joins, leaves = Inbox(), Inbox(), Inbox()
    async with connect() as watcher:
        channel = watcher.channel("py", {"config": {"presence": {"key": "watcher", "enabled": True}}})
        channel.on_presence_sync(synced).on_presence_join(joins).on_presence_leave(leaves)
        assert await subscribed(channel) == SUBSCRIBED
        await synced.next()
        assert channel.presence_state() == {}
        async with connect() as other:
            theirs = other.channel("py", {"config": {"presence": {"key": "alice", "enabled": True}}})
            await subscribed(theirs)
            await theirs.track({"status": "on"})
            who, _, [meta] = await joins.next()
            assert (who, meta["status"]) == ("alice", "on")
            assert channel.presence_state() == {"alice": [meta]}
        who, _, [meta] = await leaves.next()
        assert (who, meta["status"]) == ("alice", "on")


async def test_a_private_channel_needs_a_policy(connect, bare_stack, db):
    """Without one the client reports an error; the secret key may all."""
    private = {"config": {"private": True, "broadcast": None, "presence": None}}
    async with connect() as client:
        state, error = await subscribed(client.channel("py", private))
        assert state == RealtimeSubscribeStates.CHANNEL_ERROR
        assert "Unauthorized: You do not have permissions to read from this Channel topic: py" in str(error)
    heard = Inbox()
    async with connect(bare_stack.secret_key) as client:
        assert await subscribed(client.channel("py", private).on_broadcast("ping", heard)) == SUBSCRIBED
        await db.execute("""select realtime.send('{"n": 1}', 'ping', 'py')""")
        [message] = await heard.next()
    assert message["payload"]["n"] == 1


async def test_changes_arrive(connect, db, table):
    """A row's change is delivered to its callback, once the database has been subscribed to."""
    heard, ready = Inbox(), Inbox()
    async with connect() as client:
        channel = client.channel("py").on_postgres_changes("INSERT", heard, schema="public", table=table)
        channel.on_system(ready)
        assert await subscribed(channel) == SUBSCRIBED
        [message] = await ready.next()
        assert message.message == "Subscribed to PostgreSQL"
        await db.execute(f"insert into {table} (id) values (1)")
        [change] = await heard.next()
    assert change["data"]["record"] == {"id": 1, "owner": None, "body": None}
