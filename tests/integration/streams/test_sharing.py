"""One socket for all subscriptions of a client, one channel for those to the same rows."""

import asyncio

from support.streams import reach

from babelroom import State

CALM = {"heartbeat_interval": 25}  # a busy machine must not mean another socket


def confirmations(network):
    """How many channels were told that changes flow."""
    frames = [frame for socket in network.sockets for frame in socket.frames]
    return sum("Subscribed to PostgreSQL" in frame for frame in frames)


async def subscribed(client, session):
    """A subscription to the session's messages, and the queue that it fills."""
    messages = asyncio.Queue()
    return await client.messages.subscribe_to_messages(session.id, messages.put_nowait), messages


async def next_of(queue):
    return await asyncio.wait_for(queue.get(), 10)


async def test_a_hundred_sessions_share_one_socket(network, connect, writer, user):
    """Each hears its own messages only."""
    client = connect(subscribe_timeout=60, **CALM)
    sessions = await asyncio.gather(*(writer.sessions.create_session() for _ in range(100)))
    heard = [messages for _, messages in await asyncio.gather(*(subscribed(client, each) for each in sessions))]
    assert len(network.sockets) == 1
    sent = [await writer.messages.create_message(each.id, user, "Hello", "en", "es") for each in sessions]
    assert [await next_of(messages) for messages in heard] == sent
    assert all(messages.empty() for messages in heard)


async def test_the_last_unsubscribing_closes_the_socket(network, connect, writer):
    """Not the one before."""
    client = connect(**CALM)
    first, second = [await subscribed(client, await writer.sessions.create_session()) for _ in range(2)]
    await first[0].unsubscribe()
    assert len(network.open_sockets) == 1
    await second[0].unsubscribe()
    await network.until(lambda: not network.open_sockets)


async def test_subscribing_again_opens_a_new_socket(network, connect, session, writer, user):
    """It is as good as the first."""
    client = connect(**CALM)
    first, _ = await subscribed(client, session)
    await first.unsubscribe()
    _, messages = await subscribed(client, session)
    sent = await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    assert await next_of(messages) == sent
    assert len(network.sockets) == 2


async def test_subscribing_while_the_last_one_ends_works(network, connect, session, writer, user):
    """The old socket is still being closed."""
    client = connect(**CALM)
    first, _ = await subscribed(client, session)
    _, (_, messages) = await asyncio.gather(first.unsubscribe(), subscribed(client, session))
    sent = await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    assert await next_of(messages) == sent
    await network.until(lambda: len(network.open_sockets) == 1)


async def test_two_subscriptions_to_a_session_share_one_channel(network, connect, session, writer, user):
    """Both hear everything."""
    client = connect(**CALM)
    (_, first), (_, second) = [await subscribed(client, session) for _ in range(2)]
    sent = [await writer.messages.create_message(session.id, user, f"{number}", "en", "es") for number in range(10)]
    assert [await next_of(first) for _ in sent] == [await next_of(second) for _ in sent] == sent
    assert confirmations(network) == 1


async def test_a_shared_channel_outlives_the_first_subscription(network, connect, session, writer, user):
    """The second goes on, on the same channel."""
    client = connect(**CALM)
    (ended, _), (going_on, messages) = [await subscribed(client, session) for _ in range(2)]
    await ended.unsubscribe()
    sent = await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    assert await next_of(messages) == sent
    await reach(going_on, State.LIVE)
    assert confirmations(network) == 1
