"""Rows told once, never left out of date."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from babelroom.models import Session
from babelroom.realtime.connection import Change
from babelroom.realtime.row_stream import RowStream
from babelroom.realtime.subscription import Subscription

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def session(user_count: int, key: int = 1) -> Session:
    return Session(
        id=UUID(int=key), code="0001", created_at=NOW, expires_at=NOW, is_active=True, user_count=user_count,
        last_activity=NOW,
    )  # fmt: skip


def changed(row: Session) -> Change:
    return Change(record=row.model_dump(mode="json"), has_errors=False)


class Table:
    """Answers from a list, one fetch each; the last one stays. An exception is raised, a callable called first."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.fetched = asyncio.Queue()

    async def fetch(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.fetched.put_nowait(None)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


@pytest.fixture
async def subscription():
    running = Subscription()
    yield running
    await running.unsubscribe()


async def told(subscription, count):
    items = aiter(subscription)
    async with asyncio.timeout(5):
        return [await anext(items) for _ in range(count)]


async def test_a_change_is_told_once(subscription):
    """The same row again, from the log or a fetch, is no news."""
    stream = RowStream(subscription, Session, Table([session(1)]).fetch)
    stream.on_change(changed(session(1)))
    stream.on_change(changed(session(1)))
    stream.on_change(changed(session(2)))
    assert await told(subscription, 2) == [session(1), session(2)]


async def test_what_was_missed_is_fetched_when_changes_flow_again(subscription):
    """And only what differs from what was told."""
    stream = RowStream(subscription, Session, Table([session(3), session(7, key=2)]).fetch, told=[session(7, key=2)])
    subscription.run(stream.keep_true())
    stream.on_ready()
    assert await told(subscription, 1) == [session(3)]


async def test_an_answer_that_newer_changes_overtook_is_thrown_away(subscription):
    """Nobody is taken back in time."""
    stream = RowStream(subscription, Session, None)

    def overtaken():
        stream.on_change(changed(session(5)))
        return [session(1)]

    stream._fetch = Table(overtaken, [session(5)], [session(5)]).fetch
    subscription.run(stream.keep_true())
    stream.on_ready()
    assert await told(subscription, 1) == [session(5)]
    stream.on_change(changed(session(6)))
    assert await told(subscription, 1) == [session(6)]


@pytest.mark.parametrize("failure", [OSError("lost"), ValueError("unreadable")])
async def test_a_fetch_that_fails_is_tried_again(subscription, failure):
    """Until it succeeds, whatever went wrong."""
    stream = RowStream(subscription, Session, Table(failure, [session(2)]).fetch)
    subscription.run(stream.keep_true())
    stream.on_ready()
    assert await told(subscription, 1) == [session(2)]


async def test_a_row_that_has_gone_is_told_as_its_owner_says(subscription):
    """An activity that ended unseen becomes idle; once."""
    stream = RowStream(
        subscription, Session, Table([]).fetch, told=[session(2)],
        gone=lambda row: None if not row.user_count else row.model_copy(update={"user_count": 0}),
    )  # fmt: skip
    subscription.run(stream.keep_true())
    stream.on_ready()
    assert await told(subscription, 1) == [session(0)]


async def test_it_looks_by_itself_after_a_time_without_news(subscription):
    """No event need ever come."""
    stream = RowStream(subscription, Session, Table([session(4)]).fetch, look=lambda _: 0.01)
    subscription.run(stream.keep_true())
    assert await told(subscription, 1) == [session(4)]


async def test_an_unreadable_event_is_a_doorbell(subscription):
    """The row is fetched instead."""
    stream = RowStream(subscription, Session, Table([session(9)]).fetch)
    subscription.run(stream.keep_true())
    stream.on_change(Change(record={"id": "half a row"}, has_errors=False))
    assert await told(subscription, 1) == [session(9)]
