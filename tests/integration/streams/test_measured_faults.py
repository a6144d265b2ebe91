"""Four faults of realtime-py 2.34.1: the plain client has each, until a test here says it is mended; ours has none."""

import asyncio

import pytest
from realtime import AsyncRealtimeClient, RealtimeSubscribeStates
from support.streams import WITHIN, numbers, path, reach, take, texts, write

from babelroom import State

# Where a test makes errors of warnings, its reading dies of one of its own when the connection is lost.
usual_warnings = pytest.mark.filterwarnings("ignore:ConnectionClosed:DeprecationWarning")

BACKOFF = 0.2
"""Seconds, in place of 1: its own five attempts then take 3 s."""


@pytest.fixture
async def plain(network, stack):
    """supabase-py's own Realtime client behind the network, in scaled time."""
    client = AsyncRealtimeClient(f"{network.url}/realtime/v1", stack.publishable_key, initial_backoff=BACKOFF)
    yield client
    for channel in client.get_channels():
        channel.rejoin_timer.reset()
        channel.join_push.destroy()
    await client.close()


def listen(client, session, callback):
    """A channel of the session's messages, as the founding spec makes it."""
    return client.channel("messages").on_postgres_changes(
        "*", callback, table="messages", schema="public", filter=f"session_id=eq.{session.id}"
    )


async def flowing(network, number=-1):
    """Until the server has said on this socket that changes flow."""
    await network.until(lambda: any("Subscribed to PostgreSQL" in frame for frame in network.sockets[number].frames))


async def test_plain_an_exception_in_a_callback_ends_delivery_for_good(plain, network, writer, session, received):
    """The second change reaches the socket and nobody else, and the client says that it is connected."""

    def fail(change):
        received.put_nowait(change["data"]["record"]["original"])
        raise RuntimeError("the app's mistake")

    await listen(plain, session, fail).subscribe()
    await flowing(network)
    reading = plain._listen_task
    await write(writer, session.id, 1)
    await asyncio.wait([reading], timeout=WITHIN)
    await write(writer, session.id, 1, first=1)
    await network.until(lambda: len(network.sockets[0].changes) == 2)
    assert "the app's mistake" in str(reading.exception())
    assert (plain.is_connected, await take(received), received.empty()) == (True, ["0"], True)


async def test_ours_an_exception_in_a_callback_costs_nothing(connect, writer, session, received):
    """The next change comes, on the same socket."""

    def fail(message):
        received.put_nowait(message)
        raise RuntimeError("the app's mistake")

    client = connect()
    await client.messages.subscribe_to_messages(session.id, fail)
    await reach(client, State.LIVE)
    await write(writer, session.id, 2)
    assert texts(await take(received, 2)) == numbers(2)
    assert client.health().reconnects == 0


@usual_warnings
async def test_plain_an_outage_of_more_than_five_attempts_ends_it(plain, network, session):
    """Nothing of it runs any more when the network is back."""
    await listen(plain, session, print).subscribe()
    reading = plain._listen_task
    async with network.refusing():
        network.cut()
        await asyncio.wait([reading], timeout=WITHIN)
    assert isinstance(reading.exception(), OSError)
    assert (plain.is_connected, plain._listen_task) == (False, reading)
    assert len(network.sockets) == 1


async def test_ours_an_outage_of_more_than_five_attempts_is_over_when_it_is_over(
    connect, network, writer, session, received
):
    """Ten attempts fail; the next one succeeds, and what was missed comes."""
    client = connect()
    await client.messages.subscribe_to_messages(session.id, received.put_nowait)
    await reach(client, State.LIVE)
    with network.resetting("/realtime/") as sockets, network.resetting("/rest/"):
        network.cut()
        await network.until(lambda: sockets.hits >= 10)
        await write(writer, session.id, 1)
    assert texts(await take(received)) == numbers(1)
    await reach(client, State.LIVE)


@usual_warnings
async def test_plain_nothing_missed_is_fetched_after_a_reconnect(plain, network, writer, session, received):
    """It is connected again, tells what comes, and never what came meanwhile."""
    await listen(plain, session, received.put_nowait).subscribe()
    await flowing(network)
    with network.answering(503, "/realtime/") as away:
        network.cut()
        await network.until(lambda: away.hits)
        await write(writer, session.id, 1)
    await network.until(lambda: len(network.sockets) == 2)
    await flowing(network)
    await write(writer, session.id, 1, first=1)
    assert (await take(received))[0]["data"]["record"]["original"] == "1"


async def test_ours_everything_missed_is_fetched_after_a_reconnect(connect, network, writer, session, received):
    """What came meanwhile comes before what comes next."""
    client = connect()
    subscription = await client.messages.subscribe_to_messages(session.id, received.put_nowait)
    states = subscription.states()
    await path(states, State.LIVE)
    with network.answering(503) as away:
        network.cut()
        await network.until(lambda: away.hits)
        await write(writer, session.id, 1)
    await path(states, State.LIVE)
    await write(writer, session.id, 1, first=1)
    assert texts(await take(received, 2)) == numbers(2)


async def test_plain_subscribing_returns_before_changes_flow(server):
    """The join's reply is enough for it, though the server has not said so."""
    server.confirms = False
    states = []
    client = AsyncRealtimeClient(f"{server.url}/realtime/v1", "key")
    channel = client.channel("messages").on_postgres_changes("*", print, table="messages", schema="public")
    await channel.subscribe(lambda state, _: states.append(state))
    assert states == [RealtimeSubscribeStates.SUBSCRIBED]
    await client.close()


async def test_ours_subscribing_returns_when_changes_flow(server, scripted_client, session):
    """The socket has worked for a heartbeat, the join is answered, and it still waits for the server's word."""
    server.confirms = False
    subscribing = asyncio.create_task(scripted_client.messages.subscribe_to_messages(session.id, print))
    join = await server.joined()
    await server.until(lambda: server.heartbeats)
    assert not subscribing.done()
    await join.tell()
    subscription = await asyncio.wait_for(subscribing, WITHIN)
    assert subscription.state in (State.CATCHING_UP, State.LIVE)
