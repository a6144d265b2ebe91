"""Partials through a network that fails: they are lost meanwhile, and nothing else is."""

import asyncio

import pytest
from support import partials
from support.streams import WITHIN, path, reach, take, write

from babelroom import State, deadline

TEXT = "Buenos días"


@pytest.fixture
async def message(writer, session, user):
    """What is being translated."""
    return await writer.messages.create_message(session.id, user, "Good morning", "en", "es")


async def next_of(stream):
    return await asyncio.wait_for(anext(stream), WITHIN)


async def test_after_a_cut_it_is_joined_again(connect, network, writer, session, message):
    """What was sent meanwhile is lost; the next partial has it all."""
    stream = await partials.follow(connect(), session.id)
    states = stream.subscription.states()
    await path(states, State.LIVE)
    async with partials.sender(writer, message) as sender:
        sender.grow("B")
        read = [await next_of(stream)]
        async with network.refusing():
            network.cut(websockets_only=True)
            lost = (await path(states, State.DISCONNECTED))[-1]
            sender.grow("uenos")
        await path(states, State.LIVE)
        sender.grow(" días")
        while read[-1].text != TEXT:
            read.append(await next_of(stream))
    assert lost.reason.startswith("Partial translations are lost meanwhile; the messages come without them. ")
    assert read[0].text == "B"


async def test_in_an_outage_a_stream_opens_at_once(connect, network, writer, session, message):
    """Disconnected, with no error: an app's loop over partials need not be another than that over messages."""
    client = connect()
    with network.answering(503, "/realtime/"):
        stream = client.messages.stream_partials(session.id)
        step = asyncio.create_task(anext(stream))
        subscription = await stream._opened()
        await reach(subscription, State.DISCONNECTED)
    await reach(subscription, State.LIVE)
    async with partials.sender(writer, message) as sender:
        sender.grow(TEXT)
        assert (await asyncio.wait_for(step, WITHIN)).text == TEXT


async def test_a_silent_network_holds_no_stream_up(connect, network, session):
    """It is opened, and says that it waits."""
    client = connect()
    network.silence(new_too=True)
    with deadline(0.1):
        subscription = await client.messages.stream_partials(session.id)._opened()
    assert subscription.state is State.CONNECTING


async def test_partials_that_cannot_be_had_are_no_trouble_of_the_client(connect, network, session, received):
    """Its state tells of the messages, which are polled; without them, of the partials."""
    client = connect()
    subscription = await client.messages.subscribe_to_messages(session.id, received.put_nowait)
    stream = await partials.follow(client, session.id)
    with network.answering(503, "/realtime/"):
        network.cut(websockets_only=True)
        await reach(subscription, State.POLLING)
        await reach(stream.subscription, State.DISCONNECTED)
        assert client.state is State.POLLING
        await subscription.unsubscribe()
        assert client.state is State.DISCONNECTED
    await reach(client, State.LIVE)


async def test_messages_and_partials_share_the_socket(connect, network, writer, session, message, received):
    """Each on a channel of its own, and one can be left without the other."""
    client = connect(heartbeat_interval=25)
    await client.messages.subscribe_to_messages(session.id, received.put_nowait)
    for _ in range(2):
        async with await partials.follow(client, session.id) as stream, partials.sender(writer, message) as sender:
            sender.grow(TEXT)
            assert (await next_of(stream)).text == TEXT
    (sent,) = await write(writer, session.id, 1)
    assert await take(received) == [sent]
    assert len(network.sockets) == 1


async def test_a_sender_without_realtime_disturbs_nothing(connect, network, session, user, caplog):
    """The message is made and translated as ever; one log line tells that its partials were not sent."""
    client = connect()
    with network.answering(503, "/realtime/") as away:
        message = await client.messages.create_message(session.id, user, "Good morning", "en", "es")
        async with partials.sender(client, message) as sender:
            for count, letter in enumerate("Bue", 1):
                sender.grow(letter)
                await network.until(lambda count=count: away.hits >= count)
        stored = await client.messages.update_message_translation(message.id, TEXT)
    assert stored.translation == TEXT
    assert caplog.text.count("was not sent") == 1


async def test_a_sender_behind_a_silent_network_does_not_hold_the_translation_up(connect, network, message):
    """Closing it takes a moment, whatever the network does."""
    client = connect()
    network.silence(new_too=True)
    sender = partials.sender(client, message)
    sender.grow(TEXT)
    async with asyncio.timeout(WITHIN):
        while not sender._is_sending:  # noqa: ASYNC110  a silent network tells nobody
            await asyncio.sleep(0.001)
        await sender.close()
    network.resume()
    assert client.timings()["partials.send"].max < 1_000
