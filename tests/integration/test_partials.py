"""A translation that grows on one client is read on another as it grows, and passes through no table."""

import asyncio
import time
from itertools import pairwise
from uuid import uuid4

import pytest
from support import partials
from support.streams import WITHIN, reach

from babelroom import ClientClosed, InvalidId, Partial, State

TEXT = "Buenos días, ¿cómo estás? Yo estoy muy bien."


@pytest.fixture
async def message(room, session, user):
    """What is being translated."""
    return await room.messages.create_message(session.id, user, "Good morning, how are you? I am fine.", "en", "es")


async def next_of(stream):
    return await asyncio.wait_for(anext(stream), WITHIN)


async def until_whole(stream, text):
    """The partials up to the one that is the whole text."""
    read = [await next_of(stream)]
    while read[-1].text != text:
        read.append(await next_of(stream))
    return read


async def test_a_growing_translation_is_read_as_it_grows(room, partner, session, message):
    """All of it so far, by whose message it is."""
    async with partials.sender(room, message) as sender, await partials.follow(partner, session.id) as stream:
        sender.grow("Buenos ")
        first = await next_of(stream)
        sender.grow("días")
        second = await next_of(stream)
    whose = {"message_id": message.id, "user_id": message.user_id, "source": "en", "target": "es"}
    assert [first, second] == [
        Partial(number=1, text="Buenos ", **whose), Partial(number=2, text="Buenos días", **whose),
    ]  # fmt: skip


async def test_many_deltas_come_as_few_growing_partials(room, partner, session, message):
    """Each begins with the one before; at most ten a second, the last of which is the whole text."""
    async with partials.sender(room, message) as sender, await partials.follow(partner, session.id) as stream:
        begun = time.monotonic()
        reading = asyncio.create_task(until_whole(stream, TEXT))
        for letter in TEXT:
            sender.grow(letter)
            await asyncio.sleep(0.01)  # a provider's pace
        read = await reading
        elapsed = time.monotonic() - begun
    numbers = [each.number for each in read]
    assert numbers == sorted(set(numbers))
    assert all(after.text.startswith(before.text) for before, after in pairwise(read))
    assert 1 < len(read) <= numbers[-1] <= 1 + elapsed * room.settings.events_per_second


async def test_the_final_row_comes_after_the_partials(room, partner, session, message):
    """The sender is closed first, so that none comes later."""
    partial_stream = await partials.follow(partner, session.id)
    async with partials.sender(room, message) as sender:
        for delta in ("Buenos ", "días"):
            sender.grow(delta)
        await next_of(partial_stream)
    number = sender._number
    await room.messages.update_message_translation(message.id, "Buenos días")
    async with partner.messages.stream(session.id, since_start=True) as rows:
        while (await next_of(rows)).translation is None:
            pass
    sender.grow("!")
    await asyncio.sleep(0)
    assert (sender._number, room.timings()["partials.send"].calls) == (number, number)


async def test_streams_of_a_session_share_a_channel(room, partner, session, message):
    """And the client's one socket; both read everything."""
    streams = [await partials.follow(partner, session.id) for _ in range(2)]
    async with partials.sender(room, message) as sender:
        sender.grow(TEXT)
        assert [(await next_of(stream)).text for stream in streams] == [TEXT] * 2
    assert [str(subject) for subject in partner._connection._channels] == [f"partials-{session.id}"]
    await streams[0].aclose()
    async with partials.sender(room, await again(room, message)) as sender:
        sender.grow(TEXT)
        assert (await next_of(streams[1])).text == TEXT


async def again(room, message):
    return await room.messages.create_message(message.session_id, message.user_id, "Good morning!", "en", "es")


async def test_sessions_are_apart(room, partner, session, message, user):
    """Each has a topic of its own."""
    elsewhere = await room.sessions.create_session()
    other = await room.messages.create_message(elsewhere.id, user, "Good morning!", "en", "es")
    stream = await partials.follow(partner, session.id)
    async with partials.sender(room, other) as others, partials.sender(room, message) as mine:
        others.grow("No")
        await asyncio.sleep(0)
        mine.grow(TEXT)
        assert (await next_of(stream)).message_id == message.id


async def test_two_translators_of_one_message_are_read_as_one(room, partner, session, message):
    """The text that came first goes on; the other, which begins otherwise, is dropped."""
    stream = await partials.follow(partner, session.id)
    async with partials.sender(room, message) as first, partials.sender(partner, message) as second:
        first.grow("Buenos ")
        read = [await next_of(stream)]
        second.grow("Muy ")
        await asyncio.sleep(0)
        second.grow("buenas")
        first.grow("días")
        read.append(await next_of(stream))
    assert [each.text for each in read] == ["Buenos ", "Buenos días"]


async def test_closing_the_client_ends_its_streams(partner, session):
    """A loop simply ends, and nothing can be opened any more."""
    stream = await partials.follow(partner, session.id)
    reading = asyncio.create_task(anext(stream))
    await partner.close()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(reading, WITHIN)
    with pytest.raises(ClientClosed):
        await anext(partner.messages.stream_partials(session.id))


async def test_leaving_a_loop_closes_the_socket(room, partner, session, message):
    """It was the only subscription."""
    async with partials.sender(room, message) as sender, await partials.follow(partner, session.id) as stream:
        sender.grow(TEXT)
        async for partial in stream:
            assert partial.text == TEXT
            break
    assert (partner.health().subscriptions, partner._connection._socket) == ((), None)


async def test_a_session_is_named_by_its_id(partner):
    """Refused before anything is opened."""
    with pytest.raises(InvalidId):
        partner.messages.stream_partials("4711")


async def test_health_names_the_topic(partner, session):
    """Nothing is missing and nothing was repaired."""
    async with await partials.follow(partner, session.id):
        health = partner.health()
    (subscription,) = health.subscriptions
    assert (subscription.topic, subscription.state, subscription.gaps_repaired, subscription.lag) == (
        f"partials-{session.id}", State.LIVE, 0, 0,
    )  # fmt: skip


async def test_an_unmodified_supabase_client_hears_the_same(room, supabase, session, message):
    """It joins the public channel and listens to the event."""
    heard, joined = asyncio.Queue(), asyncio.Event()
    async with supabase.anon() as db:
        channel = db.channel(f"partials-{session.id}").on_broadcast("partial", heard.put_nowait)
        await channel.subscribe(lambda state, _: joined.set() if state == "SUBSCRIBED" else None)
        await asyncio.wait_for(joined.wait(), WITHIN)
        async with partials.sender(room, message) as sender:
            sender.grow(TEXT)
            payload = (await asyncio.wait_for(heard.get(), WITHIN))["payload"]
        await db.realtime.close()
    assert payload == {
        "message_id": str(message.id), "user_id": str(message.user_id), "number": 1, "text": TEXT, "source": "en",
        "target": "es",
    }  # fmt: skip


async def test_what_an_unmodified_client_sends_is_checked(partner, supabase, session, message):
    """Whatever has another shape or size is dropped; what is a partial is read."""
    payload = {
        "message_id": str(message.id), "user_id": str(message.user_id), "number": 1, "text": TEXT, "source": "en",
        "target": "es",
    }  # fmt: skip
    stream = await partials.follow(partner, session.id)
    async with supabase.anon() as db:
        channel = await db.channel(f"partials-{session.id}").subscribe()
        for strange in ({}, payload | {"text": "x" * 50_000}, payload | {"number": "many"}, payload):
            await channel.send_broadcast("partial", strange)
        read = await next_of(stream)
        await db.realtime.close()
    assert read.model_dump(mode="json") == payload


async def test_signed_in_users_send_and_read_by_their_tokens(room, partner, session, user):
    """And go on when they sign out."""
    for client in (room, partner):
        await client.supabase.auth.sign_up({"email": f"{uuid4()}@example.com", "password": "a long password"})
    message = await room.messages.create_message(session.id, user, "Good morning!", "en", "es")
    stream = await partials.follow(partner, session.id)
    async with partials.sender(room, message) as sender:
        sender.grow("Buenos ")
        assert (await next_of(stream)).text == "Buenos "
        states = stream.subscription.states()
        await anext(states)
        await partner.supabase.auth.sign_out()
        async with asyncio.timeout(WITHIN):
            assert (await anext(states)).state is State.DISCONNECTED
        await reach(stream.subscription, State.LIVE)
        sender.grow("días")
        assert (await next_of(stream)).text == "Buenos días"
