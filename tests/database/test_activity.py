"""Activity: one row a user, by the database's clock, tidied without waiting for anybody."""

from datetime import timedelta
from uuid import uuid4

import pytest
from support import rows
from support.locks import blocked

UPSERT = (
    "insert into user_activity (session_id, user_id, activity_type) values (%s, %s, %s)"
    " on conflict (session_id, user_id) do update set activity_type = excluded.activity_type returning *"
)
AGE = "update user_activity set updated_at = now() - %s::interval where user_id = any(%s)"
USERS = "select user_id from user_activity where session_id = %s"
CURRENT = "select user_id from get_session_activities(%s)"
STALE = timedelta(seconds=6)


@pytest.fixture
def meeting(database):
    """The id of a session of the test's own."""
    return rows.new_session(database)["id"]


def typing(database, meeting, count):
    """That many users of the session, typing."""
    users = [uuid4() for _ in range(count)]
    for user in users:
        database.execute(UPSERT, [meeting, user, "typing"])
    return users


def test_the_same_activity_again_moves_one_stamp(database, meeting, user):
    """Still one row, begun when it began."""
    first = rows.one(database, UPSERT, meeting, user, "typing")
    again = rows.one(database, UPSERT, meeting, user, "typing")
    assert again == first | {"updated_at": again["updated_at"]}
    assert again["updated_at"] > first["updated_at"]


def test_another_activity_begins_anew(database, meeting, user):
    """In the same row."""
    first = rows.one(database, UPSERT, meeting, user, "typing")
    after = rows.one(database, UPSERT, meeting, user, "recording")
    assert (after["id"], after["activity_type"]) == (first["id"], "recording")
    assert after["started_at"] == after["updated_at"] > first["updated_at"]


@pytest.mark.parametrize("role", ["anon", "postgres"])
def test_what_belongs_to_the_database_cannot_be_set(database, meeting, user, role):
    """Clocks that are wrong do no harm, and a row keeps its id, session and user."""
    stamps = {"started_at": "2000-01-01", "updated_at": "2100-01-01"}
    with rows.acting_as(database, role):
        database.execute(
            "insert into user_activity (session_id, user_id, activity_type, started_at, updated_at)"
            " values (%s, %s, 'typing', %s, %s)",
            [meeting, user, *stamps.values()],
        )
        inserted = rows.one(database, "select * from user_activity where user_id = %s", user)
        database.execute(
            "update user_activity set id = gen_random_uuid(), session_id = gen_random_uuid(),"
            " user_id = gen_random_uuid(), started_at = %s, updated_at = %s where user_id = %s",
            [*stamps.values(), user],
        )
    updated = rows.one(database, "select * from user_activity where session_id = %s", meeting)
    assert updated == inserted | {"updated_at": updated["updated_at"]}
    for row in (inserted, updated):
        assert timedelta(0) <= row["updated_at"] - row["started_at"] < timedelta(minutes=1)
        assert row["started_at"].year not in {2000, 2100}


def test_activity_of_an_expired_session_cannot_be_moved_to_a_live_one(database, meeting, user):
    """The row stays in its session, and that is checked."""
    expired = rows.new_session(database)["id"]
    database.execute(UPSERT, [expired, user, "typing"])
    database.execute("update sessions set expires_at = now() where id = %s", [expired])
    move = "update user_activity set session_id = %s where user_id = %s"
    assert rows.refusal(database, move, meeting, user).sqlstate == "PT410"


@pytest.mark.parametrize("kind", ["dancing", None, ""])
def test_an_unknown_activity_is_refused(database, meeting, user, kind):
    """There are four."""
    assert rows.refusal(database, UPSERT, meeting, user, kind).sqlstate.startswith("23")


def test_activity_of_an_unknown_session_is_refused(database, user):
    """PT404, as for every other writer."""
    assert rows.refusal(database, UPSERT, uuid4(), user, "typing").sqlstate == "PT404"


def test_two_upserts_of_one_user_at_once_leave_one_row(database, other, third, meeting, user):
    """Two tabs: the second waits for the first, and the last word counts."""
    other.autocommit = False
    first = rows.one(other, UPSERT, meeting, user, "typing")
    with blocked(database, third, lambda: rows.one(third, UPSERT, meeting, user, "idle")) as second:
        other.commit()
    assert rows.every(database, "select * from user_activity where session_id = %s", meeting) == [second.result()]
    assert second.result()["id"] == first["id"]


def test_who_does_what_now(database, unnoticed, meeting):
    """Neither the idle nor those without a sign for 5 seconds, and none of another session; by when they began."""
    stale, *current = typing(database, meeting, 3)
    typing(database, rows.new_session(database)["id"], 1)
    database.execute(UPSERT, [meeting, uuid4(), "idle"])
    unnoticed.execute(AGE, [STALE, [stale]])
    assert rows.column(database, CURRENT, meeting) == current


def test_a_keystroke_tidies_what_is_stale(database, unnoticed, meeting, user):
    """Of any session, as the founding spec has it; who is current or idle stays."""
    stale = typing(database, rows.new_session(database)["id"], 2)
    current = typing(database, meeting, 1)
    idle = uuid4()
    database.execute(UPSERT, [meeting, idle, "idle"])
    unnoticed.execute(AGE, [STALE, [*stale, idle]])
    database.execute(UPSERT, [meeting, user, "typing"])
    assert set(rows.column(database, "select user_id from user_activity")) == {*current, idle, user}


def test_a_keystroke_does_not_pay_for_a_crowd(database, unnoticed, meeting, user):
    """An upsert is an insert and an update, and each tidies ten."""
    crowd = typing(database, meeting, 45)
    unnoticed.execute(AGE, [STALE, crowd])
    left = []
    for _ in range(3):
        database.execute(UPSERT, [meeting, user, "typing"])
        left.append(len(rows.column(database, USERS, meeting)) - 1)
    assert left == [25, 5, 0]


def test_a_keystroke_waits_for_nobody(database, other, unnoticed, meeting, user):
    """A stale row that somebody is writing is left to them; the others are tidied."""
    held, stale = typing(database, meeting, 2)
    unnoticed.execute(AGE, [STALE, [held, stale]])
    other.autocommit = False
    other.execute("select from user_activity where user_id = %s for update", [held])
    database.execute("set lock_timeout = '200ms'")
    database.execute(UPSERT, [meeting, user, "typing"])
    assert set(rows.column(database, USERS, meeting)) == {held, user}


def test_a_stale_users_own_keystroke_keeps_the_row(database, unnoticed, meeting):
    """Back at the keyboard: the same row, with a new sign."""
    [user] = typing(database, meeting, 1)
    unnoticed.execute(AGE, [STALE, [user]])
    database.execute(UPSERT, [meeting, user, "typing"])
    assert rows.column(database, CURRENT, meeting) == [user]


def test_a_row_that_comes_back_while_it_is_tidied_is_kept(database, other, third, unnoticed, meeting, user):
    """Whoever is writing it wins: the other's keystroke skips it, and it is current afterwards."""
    [back] = typing(database, meeting, 1)
    unnoticed.execute(AGE, [STALE, [back]])
    other.autocommit = False
    other.execute(UPSERT, [meeting, back, "typing"])
    third.execute(UPSERT, [meeting, user, "typing"])
    other.commit()
    assert rows.column(database, CURRENT, meeting) == [back, user]
