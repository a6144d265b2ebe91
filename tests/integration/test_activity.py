"""The founding spec's activity tests, and what activity promises beyond them."""

import asyncio
import logging
from uuid import uuid4

import pytest

from babelroom import ActivityType, Babelroom, InvalidActivity


async def next_of(queue):
    return await asyncio.wait_for(queue.get(), 10)


@pytest.fixture
async def activities(partner, session):
    """What the partner sees."""
    queue = asyncio.Queue()
    await partner.activity.subscribe_to_activities(session.id, queue.put_nowait)
    return queue


async def test_should_update_user_activity(room, session, user):
    """Typing is seen by whoever asks."""
    await room.activity.update_activity(session.id, user, ActivityType.TYPING)
    [activity] = await room.activity.get_session_activities(session.id)
    assert (activity.user_id, activity.activity_type) == (user, ActivityType.TYPING)


async def test_should_auto_idle_after_timeout(room, session, user, activities):
    """Three seconds without a new call, and the user is idle: subscribers hear of it."""
    await room.activity.update_activity(session.id, user, "recording")
    assert (await next_of(activities)).activity_type is ActivityType.RECORDING
    assert (await next_of(activities)).activity_type is ActivityType.IDLE
    assert await room.activity.get_session_activities(session.id) == []


async def test_a_keystroke_is_not_a_request(room, session, user):
    """Twenty calls within a second send one; another kind is sent at once."""
    for _ in range(20):
        await room.activity.update_activity(session.id, user, "typing")
    assert room.timings()["activity.update"].calls == 1
    await room.activity.update_activity(session.id, user, "recording")
    assert room.timings()["activity.update"].calls == 2


async def test_stale_activity_is_left_out(room, session, user, database):
    """A crashed typist is not typing: older than 5 seconds by the database's clock."""
    await room.activity.update_activity(session.id, user, "typing")
    room.activity.cleanup()
    database.execute("alter table user_activity disable trigger user")
    try:
        database.execute("update user_activity set updated_at = now() - interval '6 seconds'")
    finally:
        database.execute("alter table user_activity enable trigger user")
    assert await room.activity.get_session_activities(session.id) == []
    await room.activity.update_activity(session.id, uuid4(), "typing")
    assert database.execute("select count(*) from user_activity where user_id = %s", [user]).fetchone() == (0,)


async def test_a_failure_is_logged_and_never_raised(room, user, caplog):
    """Typing goes on, whatever Supabase says."""
    with caplog.at_level(logging.WARNING, "babelroom"):
        await room.activity.update_activity(uuid4(), user, "typing")
    assert "was not shown" in caplog.text


async def test_an_activity_that_does_not_exist_is_a_mistake(room, session, user):
    """It is refused before anything is sent."""
    with pytest.raises(InvalidActivity):
        await room.activity.update_activity(session.id, user, "singing")


async def test_clean_up_cancels_the_timers(room, session, user, activities):
    """After cleanup() nobody is set idle any more; a subscriber ends the activity by itself after 5 seconds."""
    await room.activity.update_activity(session.id, user, "typing")
    room.activity.cleanup()
    assert (await next_of(activities)).activity_type is ActivityType.TYPING
    assert (await next_of(activities)).activity_type is ActivityType.IDLE
    assert room.timings()["activity.update"].calls == 1


async def test_whoever_closes_while_typing_is_idle(stack, session, user, activities):
    """Nobody is left shown as typing."""
    async with Babelroom.connect(url=stack.url, key=stack.publishable_key) as guest:
        await guest.activity.update_activity(session.id, user, "typing")
        assert (await next_of(activities)).activity_type is ActivityType.TYPING
    assert (await next_of(activities)).activity_type is ActivityType.IDLE


async def test_alternating_activities_are_one_request_a_second_each(room, session, user):
    """A hundred changes at once send the first of each kind; the latest follows when its second is over."""
    for kind in ["typing", "recording"] * 50:
        await room.activity.update_activity(session.id, user, kind)
    assert room.timings()["activity.update"].calls == 2
    await room.activity.update_activity(session.id, user, "idle")
    assert await room.activity.get_session_activities(session.id) == []


async def test_who_subscribes_late_sees_who_is_typing(room, partner, session, user):
    """The current picture comes first."""
    await room.activity.update_activity(session.id, user, "typing")
    activities = asyncio.Queue()
    await partner.activity.subscribe_to_activities(session.id, activities.put_nowait)
    assert (await next_of(activities)).activity_type is ActivityType.TYPING
