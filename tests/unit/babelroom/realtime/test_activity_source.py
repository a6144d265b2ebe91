"""What users are doing, which ends by itself."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from babelroom.models import ActivityType, UserActivity
from babelroom.realtime import activity_source
from babelroom.realtime.activity_source import STALE, ActivitySource
from babelroom.realtime.socket import Change

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def activity(kind, *, at=0.0, user=1, row=1):
    return UserActivity(
        id=UUID(int=row), session_id=UUID(int=9), user_id=UUID(int=user), activity_type=kind, started_at=NOW,
        updated_at=NOW + timedelta(seconds=at),
    )  # fmt: skip


def changed(row):
    return Change(record=row.model_dump(mode="json"))


class Database:
    def __init__(self):
        self.rows = []

    async def fetch(self):
        return self.rows


@pytest.fixture
def database():
    return Database()


@pytest.fixture
async def source(database):
    """One that has told that nobody is active."""
    followed = ActivitySource(database.fetch)
    await followed.fetch()
    return followed


def told(source):
    return [(row.user_id.int, row.activity_type) for row in source.hand_out(99)]


async def test_each_sign_is_told(source):
    """Of each user."""
    source.take(changed(activity("typing")))
    source.take(changed(activity("recording", user=2)))
    source.take(changed(activity("idle", at=1)))
    assert told(source) == [(1, ActivityType.TYPING), (2, ActivityType.RECORDING), (1, ActivityType.IDLE)]


async def test_an_older_or_repeated_sign_is_no_news(source):
    """By the database's stamp, which rises with each."""
    source.take(changed(activity("typing", at=1)))
    source.take(changed(activity("typing", at=1)))
    source.take(changed(activity("recording", at=0)))
    assert told(source) == [(1, ActivityType.TYPING)]


async def test_an_activity_without_news_ends_by_itself(source, database):
    """After 5 seconds, asking nobody; each user's own time counts."""
    database.fetch = None
    source.take(changed(activity("typing")))
    assert source.due() == pytest.approx(time.monotonic() + STALE, abs=1)
    source._ends[UUID(int=1)] = time.monotonic()
    assert told(source) == [(1, ActivityType.TYPING), (1, ActivityType.IDLE)]
    source.take(changed(activity("typing")))
    assert told(source) == []


async def test_after_a_gap_the_current_picture_comes_first(source, database):
    """Who began meanwhile, who went on, and who ended; then what happens next."""
    source.take(changed(activity("typing")))
    source.take(changed(activity("typing", user=2)))
    told(source)
    source.ring()
    source.take(changed(activity("idle", user=4)))
    database.rows = [activity("typing", user=2), activity("recording", user=3)]
    await source.fetch()
    assert told(source) == [(3, ActivityType.RECORDING), (1, ActivityType.IDLE)]


async def test_a_deleted_row_is_no_news(source):
    """It is the clean-up's work, of something that has ended."""
    source.take(Change(record={}))
    assert told(source) == []


def test_the_time_is_the_founding_specs():
    """5 seconds."""
    assert activity_source.STALE == 5
