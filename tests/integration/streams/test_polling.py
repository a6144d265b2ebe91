"""Realtime away, REST there: what happens is told by polls, until Realtime is back."""

import asyncio
import time

import pytest
from support.streams import numbers, path, reach, take, texts, write

from babelroom import ActivityType, EndCause, SessionEnded, State, SubscribeFailed

REALTIME = "/realtime/"
POLLS = ("POST", "/rest/v1/rpc/messages_since")


@pytest.fixture(params=["503", "reset"])
def realtime_away(network, request):
    """Realtime cannot be had, by an answer or by none."""
    with network.answering(503, REALTIME) if request.param == "503" else network.resetting(REALTIME) as fault:
        yield fault


@pytest.mark.usefixtures("realtime_away")
async def test_subscribing_without_realtime_polls(connect, writer, session, received):
    """It returns, says so, and the messages come in order."""
    subscription = await connect().messages.subscribe_to_messages(session.id, received.put_nowait)
    assert subscription.state is State.POLLING
    assert subscription.reason.startswith("Realtime is away, REST answers.")
    await write(writer, session.id, 10)
    assert texts(await take(received, 10)) == numbers(10)


@pytest.mark.usefixtures("realtime_away")
async def test_whoever_comes_in_an_outage_polls_at_once(connect, session, received):
    """Though the next attempt at Realtime is far away."""
    client = connect(reconnect_delays=(3600.0,))
    await client.messages.subscribe_to_messages(session.id, received.put_nowait)
    second = await client.sessions.subscribe_to_session(session.id, received.put_nowait)
    assert second.state is State.POLLING


async def test_it_goes_live_by_itself(realtime_away, connect, writer, session, received):
    """When Realtime is back, with nothing doubled and nothing left out, whatever was under way."""
    subscription = await connect().messages.subscribe_to_messages(session.id, received.put_nowait)
    writing = asyncio.create_task(write(writer, session.id, 60))
    seen = await take(received, 5)
    realtime_away.stop()
    await reach(subscription, State.LIVE)
    await writing
    await write(writer, session.id, 1, first=60)
    assert texts(seen + await take(received, 56)) == numbers(61)
    assert received.empty()


async def test_polling_begins_and_ends_by_itself(connect, network, writer, session, received):
    """Realtime goes away from the middle on, and comes back."""
    subscription = await connect().messages.subscribe_to_messages(session.id, received.put_nowait)
    states = subscription.states()
    await path(states, State.LIVE)
    with network.answering(503, REALTIME):
        network.cut(websockets_only=True)
        await path(states, State.POLLING)
        await write(writer, session.id, 3)
        seen = await take(received, 3)
    await path(states, State.LIVE)
    await write(writer, session.id, 3, first=3)
    assert texts(seen + await take(received, 3)) == numbers(6)


async def test_polls_become_rare_when_nothing_happens(connect, network, writer, session, received):
    """Five times the interval lies between them in the end, and once while messages come."""
    with network.answering(503, REALTIME):
        await connect(poll_interval=0.1).messages.subscribe_to_messages(session.id, received.put_nowait)
        await network.until(lambda: network.requests[POLLS] >= 9)
        begun, polls = time.perf_counter(), network.requests[POLLS]
        await network.until(lambda: network.requests[POLLS] >= polls + 3)
        idle = time.perf_counter() - begun
        await write(writer, session.id, 1)
        await take(received)
        begun = time.perf_counter()
        for number in range(3):
            await write(writer, session.id, 1, first=number)
            await take(received)
        busy = time.perf_counter() - begun
    assert idle > 3 * 0.5 * 0.75
    assert busy < idle / 2


async def test_without_rest_it_is_disconnected(connect, network, session, received):
    """Polling is said only while polls are answered."""
    with network.answering(503, REALTIME):
        subscription = await connect().messages.subscribe_to_messages(session.id, received.put_nowait)
        states = subscription.states()
        await path(states, State.POLLING)
        with network.answering(503, "/rest/"):
            lost = (await path(states, State.DISCONNECTED))[-1]
            assert "a fault of the network" in lost.reason or "deadline" in lost.reason
        await path(states, State.POLLING)


async def test_without_rest_and_realtime_nothing_is_subscribed_to(connect, network, session):
    """It raises in the given time, and leaves no subscription behind."""
    client = connect(subscribe_timeout=0.5)
    network.answering(503, REALTIME)
    network.answering(503, "/rest/v1/rpc/messages_since")
    with pytest.raises(SubscribeFailed, match=r"waited 0\.5 s"):
        await client.messages.subscribe_to_messages(session.id, print)
    assert client.health().subscriptions == ()


async def test_a_session_is_followed_by_polls(connect, network, writer, session, received):
    """Its row, a change, and its end."""
    with network.answering(503, REALTIME):
        subscription = await connect().sessions.subscribe_to_session(session.id, received.put_nowait)
        assert await take(received) == [session]
        joined = await writer.sessions.join_session(session.code, session.id, "en")
        assert await take(received) == [joined]
        closed = await writer.sessions.close_session(session.id)
        assert await take(received) == [SessionEnded(**dict(closed), cause=EndCause.CLOSED)]
        await reach(subscription, State.CLOSED)


async def test_activities_are_followed_by_polls(connect, network, writer, session, user, received):
    """Typing, and the end of it."""
    with network.answering(503, REALTIME):
        await connect().activity.subscribe_to_activities(session.id, received.put_nowait)
        for activity in (ActivityType.TYPING, ActivityType.IDLE):
            await writer.activity.update_activity(session.id, user, activity)
            told = (await take(received))[0]
            assert (told.user_id, told.activity_type) == (user, activity)
