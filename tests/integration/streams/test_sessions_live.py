"""A session and its users' activities, followed from now to their end, whether or not anybody tells it."""

import asyncio
import time
from uuid import uuid4

import pytest
from support.streams import path, reach, take

from babelroom import ActivityType, EndCause, SessionEnded, SessionNotFound, State


def expire_soon(database, session, seconds):
    """The session's time is over in so many seconds, by the database's clock."""
    database.execute(
        "update sessions set expires_at = now() + make_interval(secs => %s) where id = %s", [seconds, session.id]
    )


async def test_a_session_is_told_as_it_is_as_it_changes_and_as_it_ends(connect, writer, session, received):
    """Row, join, end; the subscription then is closed by itself."""
    subscription = await connect().sessions.subscribe_to_session(session.id, received.put_nowait)
    told = await take(received)
    joined = await writer.sessions.join_session(session.code, session.id, "en")
    told += await take(received)
    closed = await writer.sessions.close_session(session.id)
    told += await take(received)
    assert told == [session, joined, SessionEnded(**dict(closed), cause=EndCause.CLOSED)]
    await reach(subscription, State.CLOSED)


async def test_an_iteration_over_a_session_ends_with_it(connect, writer, session):
    """The last thing it yields is the end."""
    stream = connect().sessions.stream(session.id)
    told = [await anext(stream)]
    await writer.sessions.close_session(session.id)
    async with asyncio.timeout(10):
        told += [each async for each in stream]
    assert [type(each).__name__ for each in told] == ["Session", "SessionEnded"]
    assert stream.subscription.state is State.CLOSED


async def test_a_session_expires_without_any_event(connect, database, network, session, received):
    """At its expires_at, by the clock: its websocket is silent."""
    expire_soon(database, session, 1)
    subscription = await connect(heartbeat_interval=60).sessions.subscribe_to_session(session.id, received.put_nowait)
    await reach(subscription, State.LIVE)
    network.silence(websockets_only=True)
    _, ended = await take(received, 2)
    assert (type(ended), ended.cause) == (SessionEnded, EndCause.EXPIRED)
    await reach(subscription, State.CLOSED)


async def test_a_session_expires_without_any_network(connect, database, network, session, received):
    """Where nobody can be asked, ten seconds after its time."""
    expire_soon(database, session, 1)
    subscription = await connect().sessions.subscribe_to_session(session.id, received.put_nowait)
    await reach(subscription, State.LIVE)
    network.silence(new_too=True)
    await take(received)
    async with asyncio.timeout(60):
        ended = await received.get()
    assert (type(ended), ended.cause) == (SessionEnded, EndCause.EXPIRED)


async def test_an_extended_session_does_not_end_at_its_old_time(connect, database, network, session, received):
    """Though nobody told of the extension: the database is asked first."""
    expire_soon(database, session, 1)
    subscription = await connect(heartbeat_interval=60).sessions.subscribe_to_session(session.id, received.put_nowait)
    await reach(subscription, State.LIVE)
    network.silence(websockets_only=True)
    database.execute("update sessions set expires_at = created_at + interval '4 hours' where id = %s", [session.id])
    _, extended = await take(received, 2)
    assert extended.expires_at == session.expires_at


async def test_an_unknown_session_is_not_followed(connect):
    """It raises, and leaves no subscription behind."""
    client = connect()
    with pytest.raises(SessionNotFound):
        await client.sessions.subscribe_to_session(uuid4(), print)
    assert client.health().subscriptions == ()


async def test_a_closed_session_ends_at_once(connect, writer, session):
    """Its end is all that there is to tell."""
    await writer.sessions.close_session(session.id)
    async with asyncio.timeout(10):
        told = [each async for each in connect().sessions.stream(session.id)]
    assert [each.cause for each in told] == [EndCause.CLOSED]


async def test_an_expired_session_ends_at_once(connect, database, session):
    """Its row, and its end."""
    expire_soon(database, session, -1)
    async with asyncio.timeout(10):
        told = [each async for each in connect().sessions.stream(session.id)]
    assert told[-1].cause is EndCause.EXPIRED


async def test_a_session_closed_in_an_outage_ends_after_it(connect, network, writer, session, received):
    """The row is compared when changes flow again."""
    subscription = await connect().sessions.subscribe_to_session(session.id, received.put_nowait)
    await reach(subscription, State.LIVE)
    with network.answering(503) as away:
        network.cut()
        await network.until(lambda: away.hits)
        await writer.sessions.close_session(session.id)
    _, ended = await take(received, 2)
    assert (type(ended), ended.cause) == (SessionEnded, EndCause.CLOSED)


async def test_who_is_active_comes_first(connect, writer, session, user, received):
    """On subscribing, without any event."""
    await writer.activity.update_activity(session.id, user, ActivityType.TYPING)
    await connect().activity.subscribe_to_activities(session.id, received.put_nowait)
    told = (await take(received))[0]
    assert (told.user_id, told.activity_type) == (user, ActivityType.TYPING)


async def test_who_is_active_comes_first_after_an_outage(connect, network, writer, session, user, received):
    """Who began meanwhile, before whoever begins next."""
    subscription = await connect().activity.subscribe_to_activities(session.id, received.put_nowait)
    states = subscription.states()
    await path(states, State.LIVE)
    with network.answering(503) as away:
        network.cut()
        await network.until(lambda: away.hits)
        await writer.activity.update_activity(session.id, user, ActivityType.RECORDING)
    await path(states, State.LIVE)
    await writer.activity.update_activity(session.id, uuid4(), ActivityType.TYPING)
    told = await take(received, 2)
    assert [each.activity_type for each in told] == [ActivityType.RECORDING, ActivityType.TYPING]
    assert told[0].user_id == user


async def test_typing_ends_after_five_seconds_without_any_network(connect, network, writer, session, user, received):
    """By itself: neither REST nor Realtime answers."""
    subscription = await connect().activity.subscribe_to_activities(session.id, received.put_nowait)
    await reach(subscription, State.LIVE)
    await writer.activity.update_activity(session.id, user, ActivityType.TYPING)
    typing = await take(received)
    begun = time.perf_counter()
    network.silence(new_too=True)
    idle = await take(received)
    elapsed = time.perf_counter() - begun
    assert idle == [typing[0].model_copy(update={"activity_type": ActivityType.IDLE})]
    assert 4 < elapsed < 7
