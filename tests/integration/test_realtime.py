"""The founding spec's live test, and what a subscription promises beyond it."""

import asyncio
import logging

import pytest

from babelroom import Babelroom, BabelroomError, ClientClosed, InvalidInput, MessageStatus, SubscribeFailed, deadline


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
    """Queued, translated, displayed, each seen before the next is made, as a later one may take the place of it."""
    messages = asyncio.Queue()
    await partner.messages.subscribe_to_messages(session.id, messages.put_nowait)
    message = await room.messages.create_message(session.id, user, "Hello", "en", "es")
    states = [await next_of(messages)]
    await room.messages.update_message_translation(message.id, "Hola")
    states.append(await next_of(messages))
    await room.messages.mark_message_displayed(message.id)
    states.append(await next_of(messages))
    assert [(state.rev, state.status) for state in states] == [
        (1, MessageStatus.QUEUED), (2, MessageStatus.PROCESSING), (3, MessageStatus.DISPLAYED),
    ]  # fmt: skip


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


async def test_a_row_that_cannot_be_read_does_not_end_the_subscription(room, partner, session, user, database):
    """Once it is mended, everything arrives."""
    messages = asyncio.Queue()
    await partner.messages.subscribe_to_messages(session.id, messages.put_nowait)
    first = await room.messages.create_message(session.id, user, "one", "en", "es")
    await next_of(messages)
    database.execute("alter table messages drop constraint messages_status_check")
    try:
        database.execute("update messages set status = 'strange' where id = %s", [first.id])
        await room.messages.create_message(session.id, user, "two", "en", "es")
        database.execute("update messages set status = 'failed' where id = %s", [first.id])
    finally:
        database.execute(
            "alter table messages add constraint messages_status_check"
            " check (status in ('queued', 'processing', 'displayed', 'failed'))"
        )
    assert {(await next_of(messages)).original for _ in range(2)} == {"one", "two"}


async def test_a_callback_that_awaits_something_cancelled_goes_on(room, partner, session, user):
    """Only the end of the subscription ends it."""
    seen = asyncio.Queue()

    async def await_cancelled(message):
        seen.put_nowait(message.seq)
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    await partner.messages.subscribe_to_messages(session.id, await_cancelled)
    for number in range(2):
        await room.messages.create_message(session.id, user, f"{number}", "en", "es")
    assert [await next_of(seen) for _ in range(2)] == [1, 2]


async def test_an_iteration_over_an_ended_subscription_ends(partner, session):
    """However often it is iterated."""
    subscription = await partner.messages.subscribe_to_messages(session.id, print)
    await subscription.unsubscribe()
    for _ in range(2):
        assert [message async for message in subscription] == []


async def test_a_subscription_that_is_opening_ends_with_its_client(stack, session):
    """It raises, and leaves nothing behind that would run on."""
    client = Babelroom.connect(url=stack.url, key=stack.publishable_key)
    opening = asyncio.create_task(client.messages.subscribe_to_messages(session.id, print))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises((ClientClosed, BabelroomError, RuntimeError)):
        await asyncio.wait_for(opening, 10)


@pytest.mark.parametrize("cursor", ["1", 1.5, -1, 2**63, True])
async def test_a_cursor_is_a_whole_number(room, session, cursor):
    """Refused before anything is sent."""
    with pytest.raises(InvalidInput, match="whole number"):
        await room.messages.subscribe_to_messages(session.id, print, after=cursor)


async def test_subscribing_keeps_the_deadline(session, unused_tcp_port):
    """`with deadline(...)` holds for it too."""
    async with Babelroom.connect(url=f"http://127.0.0.1:{unused_tcp_port}", key="sb_publishable_x") as lost:
        with deadline(0.3), pytest.raises(SubscribeFailed, match=r"waited 0\.3 s"):
            await lost.messages.subscribe_to_messages(session.id, print, after=0)


async def test_a_session_subscriber_hears_what_happened_before_changes_flowed(room, database):
    """The current row is compared once the channel stands, and after every reconnect."""
    session = await room.sessions.create_session()
    updates = asyncio.Queue()
    await room.sessions.subscribe_to_session(session.id, updates.put_nowait)
    database.execute("update sessions set is_active = false where id = %s", [session.id])
    async with asyncio.timeout(10):
        while (await updates.get()).is_active:
            pass
