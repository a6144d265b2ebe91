"""The founding spec's session tests, and what a session promises beyond them."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

import supalocal
from babelroom import Babelroom, Conflict, InvalidCode, InvalidId, InvalidInput, SessionExpired, SessionNotFound
from babelroom.services.sessions import SessionService

ROOT = Path(__file__).parents[2]


async def test_should_create_a_new_session_with_a_unique_code(room):
    """Four digits, active, nobody in it."""
    session = await room.sessions.create_session()
    assert re.fullmatch(r"\d{4}", session.code)
    assert session.is_active
    assert session.user_count == 0


async def test_should_join_an_existing_session(room):
    """By the code alone, as in the founding spec."""
    created = await room.sessions.create_session()
    joined = await room.sessions.join_session(created.code)
    assert joined.id == created.id
    assert joined.user_count == 1


async def test_should_handle_a_non_existent_session(room, free_code):
    """Nobody has this code."""
    with pytest.raises(SessionNotFound, match="Session not found or expired"):
        await room.sessions.join_session(free_code)


async def test_a_malformed_code_is_refused_before_anything_is_sent(room):
    """No request is made."""
    with pytest.raises(InvalidCode):
        await room.sessions.join_session("12")
    with pytest.raises(InvalidId):
        await room.sessions.join_session("1234", "test-user", "en")
    assert room.timings() == {}


async def test_an_expired_session_refuses_at_that_instant(room, database, user):
    """Also when no job has closed it."""
    session = await room.sessions.create_session()
    database.execute("update sessions set expires_at = now() where id = %s", [session.id])
    assert not await room.sessions.session_exists(session.code)
    with pytest.raises(SessionExpired, match="Session not found or expired"):
        await room.sessions.join_session(session.code, user, "en")


async def test_a_session_lives_longer_when_extended(room):
    """By the duration, and at most to 24 hours from its creation."""
    session = await room.sessions.create_session()
    longer = await room.sessions.extend_session(session.id, timedelta(minutes=90))
    assert longer.expires_at - session.expires_at == timedelta(minutes=90)
    longest = await room.sessions.extend_session(session.id, timedelta(days=3))
    assert longest.expires_at - session.created_at == timedelta(hours=24)


async def test_only_a_live_session_is_extended(room):
    """And only forwards."""
    session = await room.sessions.create_session()
    with pytest.raises(InvalidInput, match="positive timedelta"):
        await room.sessions.extend_session(session.id, timedelta(0))
    with pytest.raises(SessionNotFound):
        await room.sessions.extend_session(uuid4(), timedelta(hours=1))
    await room.sessions.close_session(session.id)
    with pytest.raises(SessionExpired):
        await room.sessions.extend_session(session.id, timedelta(hours=1))


async def test_closing_a_session_ends_it_at_once(room, user):
    """Nobody joins any more; closing it again does nothing, and an unknown one is said to be unknown."""
    session = await room.sessions.create_session()
    closed = await room.sessions.close_session(session.id)
    assert not closed.is_active
    assert await room.sessions.close_session(session.id) == closed
    with pytest.raises(SessionExpired):
        await room.sessions.join_session(session.code, user, "en")
    with pytest.raises(SessionNotFound):
        await room.sessions.close_session(uuid4())


async def test_a_client_says_that_its_users_are_there(room, database, user):
    """So a participant who had gone out of sight counts again."""
    # A second passes before the first sign: a row that is back at once is no news to whoever fetches it.
    sessions = SessionService(room._session_rows, room._subscriptions, sign_of_life=1.0)
    session = await room.sessions.create_session()
    counts = asyncio.Queue()
    await room.sessions.subscribe_to_session(session.id, lambda row: counts.put_nowait(row.user_count))
    await sessions.join_session(session.code, user, "en")
    try:
        assert [await asyncio.wait_for(counts.get(), 10) for _ in range(2)] == [0, 1]
        database.execute("update session_participants set is_away = true where session_id = %s", [session.id])
        async with asyncio.timeout(10):
            assert [await counts.get(), await counts.get()] == [0, 1]
    finally:
        await sessions.leave_joined()


async def test_a_client_stops_for_a_session_that_is_over(room, user):
    """Its signs of life are refused then; the other sessions' go on."""
    sessions = SessionService(room._session_rows, room._subscriptions, sign_of_life=0.05)
    session = await room.sessions.create_session()
    await sessions.join_session(session.code, user, "en")
    await room.sessions.leave_session(session.id, user)
    async with asyncio.timeout(10):
        await asyncio.wait([sessions._presence])
    assert sessions._joined == []


async def test_a_closed_session_is_gone(room, database, user):
    """Its code is known, but not usable."""
    session = await room.sessions.create_session()
    database.execute("update sessions set is_active = false where id = %s", [session.id])
    with pytest.raises(SessionExpired):
        await room.sessions.join_session(session.code, user, "en")


async def test_the_partners_language_is_known(room, partner, user):
    """Participants are listed in the order of joining, until they leave."""
    session = await room.sessions.create_session()
    other = uuid4()
    await room.sessions.join_session(session.code, user, "en")
    await partner.sessions.join_session(session.code, other, "pt-BR")
    present = await room.sessions.get_participants(session.id)
    assert [(person.user_id, person.lang) for person in present] == [(user, "en"), (other, "pt-BR")]
    await partner.sessions.leave_session(session.id, other)
    assert [person.user_id for person in await room.sessions.get_participants(session.id)] == [user]


async def test_joining_and_leaving_twice_count_once(room, user):
    """Both are idempotent for a user."""
    session = await room.sessions.create_session()
    for _ in range(2):
        joined = await room.sessions.join_session(session.code, user, "en")
    assert joined.user_count == 1
    for _ in range(2):
        await room.sessions.leave_session(session.id, user)
    assert (await room.sessions.join_session(session.code, uuid4(), "es")).user_count == 1


async def test_leaving_an_unknown_session_does_nothing(room, user):
    """As in the founding spec."""
    await room.sessions.leave_session(uuid4(), user)
    await room.sessions.leave_session(uuid4())


async def test_a_hundred_joining_at_once_count_a_hundred(room, database):
    """No join is lost to another; half of them join twice."""
    session = await room.sessions.create_session()
    users = [uuid4() for _ in range(100)]
    await asyncio.gather(*(room.sessions.join_session(session.code, user, "en") for user in users + users[:50]))
    assert database.execute("select user_count from sessions where id = %s", [session.id]).fetchone() == (100,)


async def test_a_hundred_joining_by_code_alone_count_a_hundred(room, database):
    """The spec's read-then-write left 3."""
    session = await room.sessions.create_session()
    await asyncio.gather(*(room.sessions.join_session(session.code) for _ in range(100)))
    assert database.execute("select user_count from sessions where id = %s", [session.id]).fetchone() == (100,)


async def test_closing_the_client_leaves_what_it_joined(stack, room, user):
    """The count goes back by itself."""
    session = await room.sessions.create_session()
    async with Babelroom.connect(url=stack.url, key=stack.publishable_key) as guest:
        await guest.sessions.join_session(session.code, user, "en")
        await guest.sessions.join_session(session.code)
        assert len(await room.sessions.get_participants(session.id)) == 2
    assert await room.sessions.get_participants(session.id) == []


async def test_closing_is_bounded_when_the_server_has_gone(user):
    """Goodbyes are said side by side, within three seconds in all."""
    with supalocal.Stack(project=ROOT, seed=False).running() as stack:
        guest = Babelroom.connect(url=stack.url, key=stack.publishable_key)
        for _ in range(5):
            await guest.sessions.join_session((await guest.sessions.create_session()).code, user, "en")
    async with asyncio.timeout(10):
        await guest.close()


async def test_all_codes_can_be_handed_out_and_the_next_attempt_fails_at_once(room, database):
    """10,000 sessions have 10,000 codes; a code is free again when its session has expired."""
    database.execute("insert into sessions (code) select lpad(n::text, 4, '0') from generate_series(0, 9899) n")
    sessions = await asyncio.gather(*(room.sessions.create_session() for _ in range(100)))
    with pytest.raises(Conflict, match="10,000"):
        await room.sessions.create_session()
    with pytest.raises(Conflict, match="10,000"):
        await room.sessions.generate_session_code()
    assert database.execute(
        "select count(distinct code) from sessions where is_active and expires_at > now()"
    ).fetchone() == (10_000,)
    database.execute("update sessions set expires_at = now() where id = %s", [sessions[0].id])
    assert (await room.sessions.create_session()).code == sessions[0].code


async def test_codes_are_tried_one_by_one_where_the_function_is_missing(room, database):
    """The founding spec's fallback."""
    database.execute("alter function generate_unique_session_code() rename to renamed")
    try:
        code = await room.sessions.generate_session_code()
    finally:
        database.execute("alter function renamed() rename to generate_unique_session_code")
    assert re.fullmatch(r"\d{4}", code)
    assert not await room.sessions.session_exists(code)


async def test_subscribers_see_who_comes_and_goes(room, partner, user):
    """user_count arrives live, with the whole four-digit code; a change made just before may come first."""
    session = await room.sessions.create_session()
    updates = asyncio.Queue()
    subscription = await room.sessions.subscribe_to_session(session.id, updates.put_nowait)
    await partner.sessions.join_session(session.code, user, "es")
    async with asyncio.timeout(10):
        while (update := await updates.get()).user_count != 1:
            pass
    assert update.code == session.code
    await subscription.unsubscribe()
