"""Sending to everybody in a channel."""

from uuid import uuid4

import pytest

HELLO = {"n": 1, "words": ["ñ", "👋"]}


@pytest.fixture
def topic():
    """A topic that nobody uses yet."""
    return str(uuid4())


@pytest.fixture
def listen(inbox, join):
    """Joins a topic and hears what is sent there as `hello`."""

    async def listening(db, topic, *, private=False, **broadcast):
        heard = inbox()
        presence = {"key": "", "enabled": False}
        config = {"config": {"broadcast": broadcast, "presence": presence, "private": private}}
        channel = db.channel(topic, config).on_broadcast("hello", heard.put)
        return await join(channel), heard

    return listening


async def test_others_hear_what_one_sends(anyone, client, listen, topic):
    """With event and payload as they were sent."""
    (speaker, _), (_, heard) = await listen(anyone, topic), await listen(await client(), topic)
    await speaker.send_broadcast("hello", HELLO)
    answer = await heard.next()
    assert (answer["event"], answer["payload"]) == ("hello", HELLO)


async def test_speaker_hears_itself(anyone, listen, topic):
    """If it asks to."""
    speaker, heard = await listen(anyone, topic, self=True, ack=True)
    await speaker.send_broadcast("hello", HELLO)
    assert (await heard.next())["payload"] == HELLO


async def test_broadcast_over_http(anyone, client, listen, topic):
    """Without a socket."""
    _, heard = await listen(anyone, topic)
    await (await client()).channel(topic).http_send("hello", HELLO)
    assert (await heard.next())["payload"] == HELLO


async def test_broadcast_from_the_database(anyone, listen, topic):
    """By realtime.send, which adds an id to the payload."""
    _, heard = await listen(anyone, topic)
    await anyone.rpc("announce", {"topic": topic, "event": "hello", "payload": HELLO, "private": False}).execute()
    payload = (await heard.next())["payload"]
    assert payload == HELLO | {"id": payload["id"]}


async def test_private_channel_refuses(anyone, listen, topic):
    """Whom no policy lets in."""
    with pytest.raises(Exception, match="do not have permissions to read"):
        await listen(anyone, f"club:{topic}", private=True)


async def test_private_channel_lets_in(listen, member, topic):
    """Whom its policies let in, to hear and to speak."""
    speaker, _ = await listen(await member(), f"club:{topic}", private=True)
    _, heard = await listen(await member(), f"club:{topic}", private=True)
    await speaker.send_broadcast("hello", HELLO)
    assert (await heard.next())["payload"] == HELLO


async def test_private_and_public_channel_of_one_name(anyone, listen, member, topic):
    """They are two: neither hears what the other is sent."""
    topic = f"club:{topic}"
    (_, public), (_, private) = await listen(anyone, topic), await listen(await member(), topic, private=True)
    for closed in (True, False):
        message = {"topic": topic, "event": "hello", "payload": {"closed": closed}, "private": closed}
        await anyone.rpc("announce", message).execute()
    assert [(await heard.next())["payload"]["closed"] for heard in (private, public)] == [True, False]


async def test_trigger_tells_a_private_channel(anyone, inbox, join, member, room):
    """Of the row that was written."""
    made, heard = await room(), inbox()
    channel = (await member()).channel(f"club:{made['id']}", {"config": {"private": True}})
    await join(channel.on_broadcast("INSERT", heard.put))
    (note,) = (await anyone.table("notes").insert({"room_id": made["id"], "body": "told"}).execute()).data
    payload = (await heard.next())["payload"]
    assert (payload["operation"], payload["table"], payload["record"]) == ("INSERT", "notes", note)
