"""A session: its row, each change, and its end, which comes by the clock if nobody tells it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from babelroom.errors import SessionNotFound
from babelroom.models import EndCause, Session, SessionEnded
from babelroom.realtime.session_source import SessionSource
from babelroom.realtime.socket import Change


def session(user_count=0, *, lasts=3600.0, is_active=True):
    now = datetime.now(UTC)
    return Session(
        id=UUID(int=1), code="0001", created_at=now, expires_at=now + timedelta(seconds=lasts), is_active=is_active,
        user_count=user_count, last_activity=now,
    )  # fmt: skip


def changed(row):
    return Change(record=row.model_dump(mode="json"))


class Database:
    def __init__(self, row):
        self.row = row
        self.is_live = True
        self.is_away = False

    async def fetch(self):
        if self.is_away:
            raise OSError("lost")
        return self.row

    async def ask(self):
        return self.is_live


@pytest.fixture
def database():
    return Database(session())


@pytest.fixture
async def source(database):
    """One that has told the current row."""
    followed = SessionSource(database.fetch, database.ask)
    await followed.fetch()
    assert followed.hand_out(9) == [database.row]
    return followed


async def test_the_current_row_comes_first_and_then_each_change(source, database):
    """An event asks for the row, as it may come later than one that was fetched; the same row again is no news."""
    source.take(changed(database.row))
    assert not source.is_behind
    late = session(1)
    database.row = session(2)
    source.take(changed(late))
    await source.fetch()
    source.take(changed(late))
    await source.fetch()
    assert source.hand_out(9) == [database.row]


async def test_while_something_may_be_missing_a_change_is_a_doorbell(source, database):
    """So nothing that is fetched is older than what was told."""
    source.ring()
    source.take(changed(session(1)))
    assert source.hand_out(9) == []
    database.row = session(2)
    await source.fetch()
    assert source.hand_out(9) == [database.row]


async def test_what_rings_during_a_fetch_asks_for_another(source, database):
    """The answer may be older than that."""

    async def fetch_while_it_rings():
        source.ring()
        return database.row

    source._fetch = fetch_while_it_rings
    source.ring()
    await source.fetch()
    assert source.is_behind


async def test_an_unreadable_change_is_a_doorbell(source):
    """The row is fetched instead."""
    source.take(Change(record={"id": "half a row"}))
    assert source.is_behind


async def test_an_unknown_session_is_said_to_be_unknown(database):
    """Rather than followed for ever."""
    database.row = None
    with pytest.raises(SessionNotFound):
        await SessionSource(database.fetch, database.ask).fetch()


async def test_a_closed_session_ends_with_its_last_row(source):
    """Its end was brought forward; nothing comes after it."""
    closed = session(lasts=0, is_active=False)
    source.take(changed(closed))
    assert not source.is_finished
    [ended] = source.hand_out(9)
    assert ended == SessionEnded(**dict(closed), cause=EndCause.CLOSED)
    assert source.is_finished


async def test_one_that_was_tidied_up_had_expired(source, database):
    """Its expires_at is what it was."""
    source.take(changed(database.row.model_copy(update={"is_active": False})))
    [ended] = source.hand_out(9)
    assert ended.cause is EndCause.EXPIRED


async def test_one_that_was_deleted_has_ended(source):
    """There is no row any more."""
    source.take(Change(record={}))
    [ended] = source.hand_out(9)
    assert ended.cause is EndCause.CLOSED


async def test_it_ends_by_the_clock_without_any_news(database):
    """Asked when its time is over, the database says so too."""
    database.row = session(lasts=0.05)
    source = SessionSource(database.fetch, database.ask)
    await source.fetch()
    source.hand_out(9)
    assert source.due() <= asyncio.get_running_loop().time() + 0.05
    database.is_live = False
    while not source.is_behind:
        await asyncio.sleep(0.01)
        assert source.hand_out(9) == []
    await source.fetch()
    [ended] = source.hand_out(9)
    assert ended.cause is EndCause.EXPIRED


async def test_a_clock_that_is_ahead_ends_nothing(database):
    """The database is asked again a second later."""
    database.row = session(lasts=-60)
    source = SessionSource(database.fetch, database.ask)
    await source.fetch()
    source.hand_out(9)
    await source.fetch()
    assert source.hand_out(9) == []
    assert not source.is_finished
    assert source.due() == pytest.approx(asyncio.get_running_loop().time() + 1, abs=0.5)


async def test_a_session_that_was_extended_does_not_end(source, database):
    """Its clock is set anew."""
    database.row = session(lasts=9_000)
    source.take(changed(database.row))
    await source.fetch()
    assert source.due() == pytest.approx(asyncio.get_running_loop().time() + 9_000, abs=5)


@pytest.mark.parametrize(("overdue", "is_believed"), [(5, False), (15, True)])
async def test_where_the_database_cannot_be_asked_our_own_clock_is_believed_in_the_end(database, overdue, is_believed):
    """Ten seconds later, as it may be a little wrong."""
    database.row = session(lasts=-overdue)
    source = SessionSource(database.fetch, database.ask)
    await source.fetch()
    source.hand_out(9)
    database.is_away = True
    if is_believed:
        await source.fetch()
        assert [each.cause for each in source.hand_out(9)] == [EndCause.EXPIRED]
    else:
        with pytest.raises(OSError, match="lost"):
            await source.fetch()
