"""Failures in the queue: the pause that doubles, the dead letter, and starting anew."""

from datetime import timedelta

import pytest
from support import queue, rows

PAUSE = "select extract(epoch from next_attempt_at - now())::float from private.translation_jobs where message_id = %s"


@pytest.fixture
def meeting(database):
    """The id of a session of the test's own."""
    return rows.new_session(database)["id"]


@pytest.fixture
def message(database, meeting):
    """The id of its first message."""
    return rows.new_message(database, meeting)["id"]


def fail(database, message):
    """Claim the message, whatever pause it has, and fail; the row comes back."""
    queue.let_pause_run_out(database, message)
    [claimed] = queue.claim(database)
    assert claimed["id"] == message
    return queue.tell(database, queue.FAIL, claimed)


def pause(database, message):
    """The whole seconds of the pause after the next failure."""
    with database.transaction():
        fail(database, message)
        return int(rows.value(database, PAUSE, message))


def test_the_pause_doubles_up_to_five_minutes(database, message, change_settings):
    """From settings.retry_delay on, 2 seconds at first."""
    change_settings(max_failures=100)
    pauses = [pause(database, message) for _ in range(10)]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_the_first_pause_is_the_operators(database, message, change_settings):
    """A long one is cut to five minutes as well."""
    change_settings(retry_delay=timedelta(seconds=50))
    assert pause(database, message) == 50
    change_settings(retry_delay=timedelta(days=1))
    assert pause(database, message) == 300


def test_a_failed_message_waits_for_its_retry(database, message):
    """Queued again, without its error, and not claimed before its time."""
    row = fail(database, message)
    assert (row["status"], row["error"]) == ("queued", None)
    assert queue.claim(database) == []
    queue.let_pause_run_out(database, message)
    [claimed] = queue.claim(database)
    assert (claimed["id"], claimed["attempt"]) == (message, 2)


def test_who_waits_for_a_retry_blocks_nobody(database, meeting, message):
    """Those behind it, of the same session too, are claimed meanwhile."""
    fail(database, message)
    behind = rows.new_message(database, meeting)["id"]
    assert [claimed["id"] for claimed in queue.claim(database, limit=1)] == [behind]


def test_the_last_failure_is_final(database, message, change_settings):
    """After settings.max_failures the message is failed, says why, and is never claimed again."""
    change_settings(max_failures=3)
    states = [fail(database, message) for _ in range(3)]
    assert [(row["status"], row["error"]) for row in states] == [
        ("queued", None),
        ("queued", None),
        ("failed", "no engine"),
    ]
    queue.let_pause_run_out(database, message)
    assert queue.claim(database) == []


def test_an_empty_reason_is_a_sentence_and_a_long_one_is_cut(database, message, change_settings):
    """To the 1,000 characters that the column takes."""
    change_settings(max_failures=1)
    reasons = []
    for reason in ("  ", "x" * 5000):
        [claimed] = queue.claim(database)
        row = rows.one(database, "select * from fail_message(%s, %s, %s)", message, claimed["token"], reason)
        reasons.append(row["error"])
        database.execute("select retry_failed(%s)", [claimed["session_id"]])
    assert reasons == ["The worker gave no reason.", "x" * 1000]


@pytest.mark.parametrize("by", ["retry_failed", "a plain update"])
def test_a_retried_message_starts_anew(database, meeting, message, change_settings, by):
    """Due at once, without its error, with all its attempts and the first pause."""
    change_settings(max_failures=2)
    for _ in range(2):
        fail(database, message)
    if by == "retry_failed":
        rows.one(database, "select * from retry_failed(%s)", meeting)
    else:
        database.execute("update messages set status = 'queued' where id = %s", [message])
    [claimed] = queue.claim(database)
    assert (claimed["id"], claimed["attempt"]) == (message, 1)
    assert queue.tell(database, queue.FAIL, claimed)["status"] == "queued"


def test_retrying_returns_what_it_queued(database, meeting, message):
    """The failed messages of this session, and nothing else of it or of another."""
    elsewhere = rows.new_session(database)["id"]
    rows.new_message(database, meeting)
    rows.new_message(database, meeting, status="failed", translation="Hola")
    for failed in (message, rows.new_message(database, elsewhere)["id"]):
        database.execute("update messages set status = 'failed', error = 'by hand' where id = %s", [failed])
    [row] = rows.every(database, "select * from retry_failed(%s)", meeting)
    assert (row["id"], row["status"], row["error"]) == (message, "queued", None)
    assert rows.every(database, "select * from retry_failed(%s)", meeting) == []


def test_what_nobody_gives_back_is_given_up(database, message, change_settings):
    """It may be what ends the workers: after settings.max_claims it is failed, and says so."""
    change_settings(max_claims=3)
    for _ in range(3):
        assert [claimed["id"] for claimed in queue.claim(database)] == [message]
        queue.let_lease_run_out(database, message)
    assert queue.claim(database) == []
    row = rows.one(database, "select status, error from messages where id = %s", message)
    assert row["status"] == "failed"
    assert row["error"].startswith("Given up")


@pytest.mark.parametrize("call", [queue.RELEASE, queue.FAIL], ids=["released", "failed"])
def test_a_claim_that_was_given_back_is_not_counted(database, message, change_settings, call):
    """A worker that says something is no worker that ended."""
    change_settings(max_claims=2, max_failures=100)
    for _ in range(5):
        queue.let_pause_run_out(database, message)
        [claimed] = queue.claim(database)
        queue.tell(database, call, claimed)
    queue.let_pause_run_out(database, message)
    assert [claimed["id"] for claimed in queue.claim(database)] == [message]


def test_a_failure_after_a_settled_claim_is_refused(database, message):
    """The same reason as an earlier failure does not make it the same call."""
    fail(database, message)
    queue.let_pause_run_out(database, message)
    [claimed] = queue.claim(database)
    database.execute("update messages set status = 'queued' where id = %s", [message])
    assert queue.told(database, queue.FAIL, claimed) == queue.STALE
