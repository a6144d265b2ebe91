"""The founding spec's live test, and what a subscription promises beyond it."""

import asyncio
import logging

import pytest

from babelroom import Babelroom, MessageStatus, SubscribeFailed


async def next_of(queue):
    return await asyncio.wait_for(queue.get(), 10)


async def test_should_receive_live_message_updates(room, partner, session, user):
    """Changes flow as soon as subscribe_to_messages() has returned: no waiting."""
    messages = asyncio.Queue()
    subscription = await partner.messages.subscribe_to_messages(session.id, messages.put_nowait)
    sent = await room.messages.create_message(session.id, user, "Test message", "en", "es")
    assert await next_of(messages) == sent
    await subscription.unsubscribe()


async def test_every_state_arrives_in_order(room, partner, session, user):
    """Queued, translated, displayed: rev rises."""
    messages = asyncio.Queue()
    await partner.messages.subscribe_to_messages(session.id, messages.put_nowait)
    message = await room.messages.create_message(session.id, user, "Hello", "en", "es")
    await room.messages.update_message_translation(message.id, "Hola")
    await room.messages.mark_message_displayed(message.id)
    states = [await next_of(messages) for _ in range(3)]
    assert [state.status for state in states] == [
        MessageStatus.QUEUED, MessageStatus.PROCESSING, MessageStatus.DISPLAYED,
    ]  # fmt: skip
    assert [state.rev for state in states] == [1, 2, 3]


async def test_a_long_message_arrives_whole_at_every_step(room, partner, session, user):
    """Events about it lack the text, which is stored out of line: the row is fetched instead."""
    text = "lorem ipsum " * 800
    messages = asyncio.Queue()
    await partner.messages.subscribe_to_messages(session.id, messages.put_nowait)
    message = await room.messages.create_message(session.id, user, text, "en", "es")
    await room.messages.update_message_translation(message.id, text.upper())
    await room.messages.mark_message_displayed(message.id)
    while (state := await next_of(messages)).status is not MessageStatus.DISPLAYED:
        assert state.original == text
    assert (state.original, state.translation) == (text, text.upper())


async def test_other_sessions_stay_out(room, partner, session, user):
    """The filter is the session."""
    other = await room.sessions.create_session()
    messages = asyncio.Queue()
    await partner.messages.subscribe_to_messages(session.id, messages.put_nowait)
    await room.messages.create_message(other.id, user, "elsewhere", "en", "es")
    mine = await room.messages.create_message(session.id, user, "here", "en", "es")
    assert await next_of(messages) == mine


async def test_a_callback_may_be_async_and_may_fail(room, partner, session, user, caplog):
    """An exception is logged, and the next message comes."""
    messages = asyncio.Queue()

    async def fail_at_first(message):
        await messages.put(message.seq)
        if message.seq == 1:
            raise RuntimeError("the app's mistake")

    await partner.messages.subscribe_to_messages(session.id, fail_at_first)
    with caplog.at_level(logging.ERROR, "babelroom"):
        for number in range(3):
            await room.messages.create_message(session.id, user, f"{number}", "en", "es")
        assert [await next_of(messages) for _ in range(3)] == [1, 2, 3]
    assert "the app's mistake" in caplog.text


async def test_the_iterator_form_resumes_after_a_cursor(room, session, user):
    """`after` is the last rev that the app has seen: what came since is fetched, then it goes on live."""
    sent = [await room.messages.create_message(session.id, user, f"{n}", "en", "es") for n in range(3)]
    received = []
    async for message in room.messages.stream(session.id, after=1):
        received.append(message)
        if len(received) == 2:
            sent.append(await room.messages.create_message(session.id, user, "live", "en", "es"))
        if len(received) == 3:
            break
    assert received == sent[1:]


async def test_unsubscribing_ends_the_delivery(room, partner, session, user):
    """Twice is no error, and the other subscription of the same client goes on."""
    first, second = asyncio.Queue(), asyncio.Queue()
    ended = await partner.messages.subscribe_to_messages(session.id, first.put_nowait)
    await partner.messages.subscribe_to_messages(session.id, second.put_nowait)
    await ended.unsubscribe()
    await ended.unsubscribe()
    await room.messages.create_message(session.id, user, "Hello", "en", "es")
    await next_of(second)
    assert first.empty()


async def test_closing_the_client_ends_its_iterators(stack, room, session, user):
    """An `async for` over a closed client's stream simply ends."""
    client = Babelroom.connect(url=stack.url, key=stack.publishable_key)
    seen = asyncio.Queue()

    async def follow():
        async for message in client.messages.stream(session.id, after=0):
            seen.put_nowait(message)

    task = asyncio.create_task(follow())
    await room.messages.create_message(session.id, user, "Hello", "en", "es")
    await next_of(seen)
    await client.close()
    await asyncio.wait_for(task, 10)


async def test_a_table_that_is_not_published_says_what_to_check(room, session, database):
    """The hint names the publication."""
    database.execute("alter publication supabase_realtime drop table user_activity")
    try:
        with pytest.raises(SubscribeFailed, match="supabase_realtime"):
            await room.activity.subscribe_to_activities(session.id, print)
    finally:
        database.execute("alter publication supabase_realtime add table user_activity")
