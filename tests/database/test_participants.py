"""Participants: who is present, who is away, and what nobody may forge."""

from datetime import timedelta
from uuid import uuid4

import pytest
from support import rows
from support.locks import blocked

AGE = "update session_participants set last_seen = now() - %s::interval where session_id = %s and user_id = %s"
PRESENT = "select user_count from sessions where id = %s"
SWEEP = "select cleanup_participants()"
TOUCH = "select touch_participant(%s, %s)"
JOIN = "select join_session(%s, %s, %s)"
PERSON = "select * from session_participants where session_id = %s and user_id = %s"
LONG = timedelta(minutes=3)


@pytest.fixture
def meeting(database):
    """A session of the test's own."""
    return rows.new_session(database)


@pytest.fixture
def user(database, meeting):
    """Its first participant."""
    return rows.joined(database, meeting)


def present(database, meeting):
    """How many the session counts."""
    return rows.value(database, PRESENT, meeting["id"])


def person(database, meeting, user):
    return rows.one(database, PERSON, meeting["id"], user)


@pytest.mark.parametrize(("end", "count"), [("commit", 2), ("rollback", 1)])
def test_who_waits_for_another_join_counts_it_too(database, other, third, meeting, end, count):
    """The second join sees the first one as it ended, though it began before."""
    other.autocommit = False
    rows.joined(other, meeting)
    with blocked(database, third, lambda: rows.joined(third, meeting, "es")):
        getattr(other, end)()
    assert present(database, meeting) == count


def test_a_join_and_a_leave_at_once_are_both_counted(database, other, third, meeting, user):
    """Whoever comes second counts with the first."""
    other.autocommit = False
    other.execute("select leave_session(%s, %s)", [meeting["id"], user])
    with blocked(database, third, lambda: rows.joined(third, meeting, "es")):
        other.commit()
    assert present(database, meeting) == 1


def test_the_sweep_marks_who_was_unseen_too_long(database, unnoticed, meeting, user):
    """Away, not gone: no longer counted, and left_at stays empty."""
    unnoticed.execute(AGE, [LONG, meeting["id"], user])
    assert rows.value(database, SWEEP) == 1
    row = person(database, meeting, user)
    assert (row["is_away"], row["left_at"], present(database, meeting)) == (True, None, 0)


def test_the_sweep_spares_who_was_seen_in_time(database, unnoticed, meeting, user):
    """Half a minute before the timeout is in time."""
    unnoticed.execute(AGE, [timedelta(minutes=1, seconds=30), meeting["id"], user])
    assert rows.value(database, SWEEP) == 0
    assert present(database, meeting) == 1


def test_the_sweep_takes_a_batch(database, unnoticed):
    """The longest unseen first; the next call takes the rest."""
    meetings = [rows.new_session(database) for _ in range(3)]
    users = [rows.joined(database, meeting) for meeting in meetings]
    for age, meeting, user in zip((4, 6, 5), meetings, users, strict=True):
        unnoticed.execute(AGE, [timedelta(minutes=age), meeting["id"], user])
    assert rows.value(database, "select cleanup_participants(2)") == 2
    assert [present(database, meeting) for meeting in meetings] == [1, 0, 0]
    assert rows.value(database, "select cleanup_participants(2)") == 1


def test_the_timeout_is_the_operators(database, unnoticed, meeting, user, change_settings):
    """settings.participant_timeout holds from the next look on."""
    unnoticed.execute(AGE, [LONG, meeting["id"], user])
    change_settings(participant_timeout=timedelta(minutes=4))
    assert rows.value(database, SWEEP) == 0
    change_settings(participant_timeout=timedelta(minutes=2))
    assert rows.value(database, SWEEP) == 1


@pytest.mark.parametrize("sign", ["touch", "join", "nameless join"])
def test_whoever_shows_a_sign_of_life_notices_who_does_not(database, unnoticed, meeting, user, sign):
    """Right also without cron: the one counted afterwards is the one who was seen."""
    partner = rows.joined(database, meeting, "es")
    for each in (user, partner):
        unnoticed.execute(AGE, [LONG, meeting["id"], each])
    if sign == "touch":
        database.execute(TOUCH, [meeting["id"], partner])
    else:
        database.execute(JOIN, [meeting["code"], *((partner, "es") if sign == "join" else (None, None))])
    assert person(database, meeting, user)["is_away"]
    if sign != "nameless join":
        assert not person(database, meeting, partner)["is_away"]
    assert present(database, meeting) == 1


def test_nobody_notices_the_absent_of_another_session(database, unnoticed, meeting, user):
    """A sign of life concerns its own session."""
    elsewhere = rows.new_session(database)
    unnoticed.execute(AGE, [LONG, meeting["id"], user])
    rows.joined(database, elsewhere)
    assert present(database, meeting) == 1


@pytest.mark.parametrize("sign", ["touch", "join"])
def test_who_was_away_comes_back_with_a_sign_of_life(database, unnoticed, meeting, user, sign):
    """Counted again, once, and joined when they first joined."""
    joined_at = person(database, meeting, user)["joined_at"]
    unnoticed.execute(AGE, [LONG, meeting["id"], user])
    database.execute(SWEEP)
    for _ in range(2):
        if sign == "touch":
            assert rows.value(database, TOUCH, meeting["id"], user) is True
        else:
            database.execute(JOIN, [meeting["code"], user, "en"])
    row = person(database, meeting, user)
    assert (row["is_away"], row["joined_at"], present(database, meeting)) == (False, joined_at, 1)


def test_going_out_of_sight_and_coming_back_is_no_activity(database, unnoticed, meeting, user):
    """last_activity is when somebody last joined or left."""
    stamp = "select last_activity from sessions where id = %s"
    before = rows.value(database, stamp, meeting["id"])
    unnoticed.execute(AGE, [LONG, meeting["id"], user])
    database.execute(SWEEP)
    database.execute(TOUCH, [meeting["id"], user])
    assert rows.value(database, stamp, meeting["id"]) == before


def test_who_left_while_away_joins_anew(database, unnoticed, meeting, user):
    """Counted, and last_activity and joined_at say so."""
    unnoticed.execute(AGE, [LONG, meeting["id"], user])
    database.execute(SWEEP)
    left = rows.one(database, "select * from leave_session(%s, %s)", meeting["id"], user)
    again = rows.one(database, "select * from join_session(%s, %s, 'en')", meeting["code"], user)
    assert (left["user_count"], again["user_count"]) == (0, 1)
    assert again["last_activity"] > left["last_activity"]
    assert person(database, meeting, user)["joined_at"] > left["last_activity"]


def test_a_touch_within_10_seconds_writes_nothing(database, unnoticed, meeting, user):
    """The row is the same version; asked often, written seldom."""
    version = "select xmin::text, last_seen from session_participants where session_id = %s and user_id = %s"
    unnoticed.execute(AGE, [timedelta(seconds=5), meeting["id"], user])
    before = rows.one(database, version, meeting["id"], user)
    assert rows.value(database, TOUCH, meeting["id"], user) is True
    assert rows.one(database, version, meeting["id"], user) == before


def test_a_touch_after_10_seconds_is_written(database, unnoticed, meeting, user):
    """By the database's clock."""
    unnoticed.execute(AGE, [timedelta(seconds=11), meeting["id"], user])
    assert rows.value(database, TOUCH, meeting["id"], user) is True
    assert rows.value(
        database, "select last_seen > now() - interval '10 seconds' from session_participants where user_id = %s", user
    )


def test_a_touch_does_not_wait_for_the_session(database, other, unnoticed, meeting, user):
    """A sign of life changes no count, so it needs no lock on the session."""
    unnoticed.execute(AGE, [timedelta(seconds=11), meeting["id"], user])
    other.autocommit = False
    other.execute("select from sessions where id = %s for no key update", [meeting["id"]])
    database.execute("set lock_timeout = '200ms'")
    assert rows.value(database, TOUCH, meeting["id"], user) is True


def test_a_touch_of_nobody_is_false(database, meeting, user):
    """Of one who left, and of one who never joined: they must join."""
    database.execute("select leave_session(%s, %s)", [meeting["id"], user])
    assert rows.value(database, TOUCH, meeting["id"], user) is False
    assert rows.value(database, TOUCH, meeting["id"], uuid4()) is False
    assert present(database, meeting) == 0


def test_those_without_a_name_never_vanish(database, unnoticed, meeting):
    """They could not come back: neither the sweep nor a partner's sign of life takes them out."""
    nameless = rows.joined(database, meeting, lang=None)
    unnoticed.execute(AGE, [timedelta(hours=3), meeting["id"], nameless])
    assert rows.value(database, SWEEP) == 0
    rows.joined(database, meeting)
    assert (person(database, meeting, nameless)["is_away"], present(database, meeting)) == (False, 2)


def test_the_sweep_skips_whom_somebody_is_writing(database, other, unnoticed, meeting, user):
    """Such a row is being seen; waiting for it could deadlock."""
    partner = rows.joined(database, meeting, "es")
    for each in (user, partner):
        unnoticed.execute(AGE, [LONG, meeting["id"], each])
    other.autocommit = False
    other.execute("select from session_participants where user_id = %s for no key update", [user])
    database.execute("set lock_timeout = '200ms'")
    database.execute(SWEEP)
    assert [person(database, meeting, each)["is_away"] for each in (user, partner)] == [False, True]


def test_a_sign_of_life_skips_whom_somebody_is_writing(database, other, unnoticed, meeting, user):
    """A touch waits for no other participant."""
    partner = rows.joined(database, meeting, "es")
    for each in (user, partner):
        unnoticed.execute(AGE, [LONG, meeting["id"], each])
    other.autocommit = False
    other.execute("select from session_participants where user_id = %s for no key update", [user])
    database.execute("set lock_timeout = '200ms'")
    assert rows.value(database, TOUCH, meeting["id"], partner) is True
    assert not person(database, meeting, user)["is_away"]


@pytest.mark.parametrize(
    "statement",
    [
        "update session_participants set is_away = true where user_id = %(user)s",
        "update session_participants set is_away = false where user_id = %(user)s",
        "update session_participants set user_id = gen_random_uuid() where user_id = %(user)s",
        "update session_participants set session_id = gen_random_uuid() where user_id = %(user)s",
        (
            "insert into session_participants (session_id, user_id, lang, last_seen)"
            " values (%(session)s, gen_random_uuid(), 'en', 'now')"
        ),
        (
            "insert into session_participants (session_id, user_id, lang, is_away)"
            " values (%(session)s, gen_random_uuid(), 'en', true)"
        ),
        "delete from session_participants where user_id = %(user)s",
        "truncate session_participants",
        "select cleanup_participants()",
        "select * from private.settings",
        "update private.settings set participant_timeout = '1 hour'",
    ],
)
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_a_client_may_not(database, meeting, user, statement, role):
    """Say who is away, move or delete a participant, or touch the settings."""
    with rows.acting_as(database, role), pytest.raises(Exception, match="permission denied"):
        database.execute(statement, {"user": user, "session": meeting["id"]})


@pytest.mark.parametrize("stamp", ["2000-01-01", "2100-01-01"])
def test_a_client_cannot_forge_a_stamp(database, meeting, user, stamp):
    """Whatever it sends, the database's clock stamps; joined_at stays as long as nobody leaves."""
    before = person(database, meeting, user)
    with rows.acting_as(database, "anon"):
        database.execute(
            "update session_participants set joined_at = %(stamp)s, last_seen = %(stamp)s, left_at = %(stamp)s"
            " where user_id = %(user)s",
            {"stamp": stamp, "user": user},
        )
    after = person(database, meeting, user)
    assert after["joined_at"] == before["joined_at"]
    assert timedelta(0) < after["last_seen"] - before["last_seen"] < timedelta(hours=1)
    assert timedelta(0) < after["left_at"] - before["last_seen"] < timedelta(hours=1)
    assert present(database, meeting) == 0


def test_leaving_is_stamped_once(database, meeting, user):
    """Leaving again, or a forged later leave, keeps the first."""
    database.execute("select leave_session(%s, %s)", [meeting["id"], user])
    before = person(database, meeting, user)
    database.execute("select leave_session(%s, %s)", [meeting["id"], user])
    with rows.acting_as(database, "anon"):
        database.execute(
            "update session_participants set left_at = now() + interval '1 day' where user_id = %s", [user]
        )
    assert person(database, meeting, user) == before
