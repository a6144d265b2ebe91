"""A reader that is slower than the conversation gets all of it, later, and is held little for."""

import asyncio

import pytest
from support.streams import reach

from babelroom import State
from babelroom.realtime.message_source import PAGE

BUFFER, MESSAGES = 10, 500
CUTS = pytest.mark.parametrize("cuts", [0, 5], ids=["on a good link", "through cuts"])


async def converse(writer, network, session, user, *, cuts, translate=False):
    """Write the messages one by one, as the loop asks for them, and cut the link so many times."""
    for number in range(MESSAGES):
        message = await writer.messages.create_message(session.id, user, f"{number}", "en", "es")
        if translate:
            await writer.messages.update_message_translation(message.id, f"{number}")
        if cuts and number % (MESSAGES // cuts) == 0:
            network.cut()
        yield message


def held(client, subscription):
    """How many items wait in the subscription, and what a page left in its source."""
    _, follower = client._subscriptions._open[subscription]
    return subscription._items.qsize(), len(follower._source._pending)


async def started(client, stream, writer, session, user, *, translate=False):
    """Its subscription, made by the first step, which reads one message of its own."""
    step = asyncio.create_task(anext(stream))
    await reach(client, State.LIVE)
    message = await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    if translate:
        await writer.messages.update_message_translation(message.id, "Hola")
    await step
    return stream.subscription


@CUTS
async def test_a_reader_that_does_not_read_is_held_a_buffer_for(network, connect, writer, session, user, cuts):
    """And what one page has more than fits; then it gets every state in order."""
    client = connect(buffer_size=BUFFER)
    stream = client.messages.stream(session.id)
    subscription = await started(client, stream, writer, session, user)
    sent, in_buffer, in_source = [], 0, 0
    async for message in converse(writer, network, session, user, cuts=cuts):
        sent.append(message)
        in_buffer, in_source = map(max, (in_buffer, in_source), held(client, subscription))
    assert in_buffer == BUFFER
    assert in_source <= PAGE
    async with asyncio.timeout(30):
        assert [await anext(stream) for _ in sent] == sent


@CUTS
async def test_conversation_order_is_held_a_buffer_for(network, connect, writer, session, user, cuts):
    """Each message comes once, in order, with its translation."""
    client = connect(buffer_size=BUFFER)
    stream = client.messages.stream(session.id, ready_only=True, late_after=60)
    subscription = await started(client, stream, writer, session, user, translate=True)
    most = 0
    async for _ in converse(writer, network, session, user, cuts=cuts, translate=True):
        most = max(most, subscription._items.qsize())
    assert most == BUFFER
    async with asyncio.timeout(30):
        came = [await anext(stream) for _ in range(MESSAGES)]
    assert [(one.translation, one.is_late) for one in came] == [(f"{number}", False) for number in range(MESSAGES)]


async def test_a_slow_callback_gets_everything(network, connect, writer, session, user):
    """It returns when all has been written; then it is called with each in order."""
    client = connect(buffer_size=BUFFER)
    is_over, came = asyncio.Event(), asyncio.Queue()

    async def take(message):
        await is_over.wait()
        came.put_nowait(message)

    await client.messages.subscribe_to_messages(session.id, take)
    sent = [message async for message in converse(writer, network, session, user, cuts=0)]
    is_over.set()
    async with asyncio.timeout(30):
        assert [await came.get() for _ in sent] == sent
