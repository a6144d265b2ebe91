"""Clean-up: what each job takes, what it leaves, and that it waits for nobody."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from support import rows
from support.locks import blocked

DELETE = "select delete_closed_sessions(%s)"
CLOSE = "select cleanup_expired_sessions()"
MONTH = timedelta(days=30)
SECOND = timedelta(seconds=1)
JOBS = {
    "cleanup-expired-sessions": "0 * * * *",
    "delete-closed-sessions": "* * * * *",
    "cleanup-participants": "* * * * *",
    "cleanup-activity": "* * * * *",
    "cleanup-job-runs": "30 3 * * *",
}


@pytest.fixture
def ended(database, unnoticed):
    """Makes a session that ended so long ago, with all that can belong to it; its id comes back."""

    def make(ago, *, closed=True):
        session = rows.new_session(database)
        user = rows.joined(database, session)
        message = rows.new_message(database, session["id"])["id"]
        database.execute("insert into private.translation_jobs (message_id, worker, token)"
                         " values (%s, 'worker', gen_random_uuid())", [message])  # fmt: skip
        database.execute("insert into user_activity (session_id, user_id, activity_type) values (%s, %s, 'idle')",
                         [session["id"], user])  # fmt: skip
        unnoticed.execute("update sessions set is_active = %s, expires_at = now() - %s::interval where id = %s",
                          [not closed, ago, session["id"]])  # fmt: skip
        return session["id"]

    return make


def left(database, sessions):
    """Which of the sessions are there, in the order given."""
    there = rows.column(database, "select id from sessions where id = any(%s)", sessions)
    return [session for session in sessions if session in there]


def test_expired_sessions_are_closed(database, ended):
    """What pg_cron calls by the hour; live ones stay, and the end of an expired one does not move."""
    expired, live = ended(SECOND, closed=False), rows.new_session(database)["id"]
    state = "select is_active, expires_at from sessions where id = %s"
    before = rows.one(database, state, expired)
    database.execute(CLOSE)
    assert rows.one(database, state, expired) == before | {"is_active": False}
    assert rows.one(database, state, live)["is_active"]


def test_closing_skips_what_somebody_holds(database, other, ended):
    """The next run takes it."""
    held, expired = ended(SECOND, closed=False), ended(SECOND, closed=False)
    other.autocommit = False
    other.execute("select from sessions where id = %s for no key update", [held])
    database.execute("set lock_timeout = '200ms'")
    state = "select id from sessions where is_active and id = any(%s)"
    database.execute(CLOSE)
    assert rows.column(database, state, [held, expired]) == [held]
    other.rollback()
    database.execute(CLOSE)
    assert rows.column(database, state, [held, expired]) == []


def test_closed_sessions_are_deleted_after_the_retention(database, ended):
    """Counted from their end; those that ended later, or were never closed, stay."""
    sessions = [ended(MONTH + SECOND), ended(MONTH - timedelta(minutes=1)), ended(MONTH + SECOND, closed=False)]
    assert rows.value(database, DELETE, 500) == 1
    assert left(database, sessions) == sessions[1:]


def test_all_that_belongs_to_a_session_goes_with_it(database, ended):
    """Participants, messages, their jobs, activity and the counter."""
    session = ended(MONTH + SECOND)
    message = rows.value(database, "select id from messages where session_id = %s", session)
    database.execute(DELETE, [500])
    tables = ("session_participants", "messages", "user_activity", "private.session_revisions")
    assert [rows.column(database, f"select 1 from {table} where session_id = %s", session) for table in tables] == [
        [], [], [], []
    ]  # fmt: skip
    assert rows.column(database, "select 1 from private.translation_jobs where message_id = %s", message) == []


@pytest.mark.parametrize(
    ("retention", "stays"), [(None, True), (timedelta(days=365), True), (timedelta(days=1), False), (SECOND, False)]
)
def test_the_retention_is_the_operators(database, ended, change_settings, retention, stays):
    """Null: never."""
    change_settings(session_retention=retention)
    session = ended(timedelta(days=100))
    assert rows.value(database, DELETE, 500) == (not stays)
    assert left(database, [session]) == [session] * stays


def test_a_negative_retention_is_refused(database):
    """It would delete what has not ended."""
    statement = "update private.settings set session_retention = interval '-1 day'"
    assert rows.refusal(database, statement).constraint_name == "settings_session_retention_check"


def test_deletions_come_in_batches(database, ended):
    """The longest ended first, so that no run holds its locks for long."""
    sessions = [ended(timedelta(days=days)) for days in (40, 60, 50)]
    assert rows.value(database, DELETE, 2) == 2
    assert left(database, sessions) == sessions[:1]
    assert [rows.value(database, DELETE, 2) for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("mode", ["for update", "for key share"])
def test_deletion_skips_what_somebody_holds(database, other, ended, mode):
    """Also who only writes a row of the session."""
    held, free = ended(timedelta(days=60)), ended(timedelta(days=40))
    other.autocommit = False
    other.execute(f"select from sessions where id = %s {mode}", [held])
    database.execute("set lock_timeout = '200ms'")
    assert rows.value(database, DELETE, 500) == 1
    assert left(database, [held, free]) == [held]


def test_leaving_a_session_that_is_being_deleted(database, other, third, connect, ended):
    """Neither fails, though one begins with the session and the other with the participant."""
    session, leaver = ended(MONTH + SECOND), connect()
    user = rows.value(database, "select user_id from session_participants where session_id = %s", session)
    other.autocommit = False
    other.execute("select from messages where session_id = %s for update", [session])
    with (
        blocked(database, third, lambda: third.execute(DELETE, [500])),
        blocked(database, leaver, lambda: leaver.execute("select leave_session(%s, %s)", [session, user])),
    ):
        other.rollback()


@pytest.mark.parametrize(
    ("kind", "age", "goes"),
    [
        ("typing", timedelta(seconds=6), True),
        ("recording", timedelta(seconds=6), True),
        ("processing", timedelta(seconds=6), True),
        ("typing", timedelta(seconds=3), False),
        ("idle", timedelta(minutes=59), False),
        ("idle", timedelta(minutes=61), True),
    ],
)
def test_old_activity_is_deleted(database, unnoticed, kind, age, goes):
    """After 5 seconds without a sign; idle rows after an hour."""
    session, user = rows.new_session(database)["id"], uuid4()
    database.execute("insert into user_activity (session_id, user_id, activity_type) values (%s, %s, %s)",
                     [session, user, kind])  # fmt: skip
    unnoticed.execute("update user_activity set updated_at = now() - %s::interval where user_id = %s", [age, user])
    assert rows.value(database, "select cleanup_activity()") == goes
    assert rows.column(database, "select user_id from user_activity") == [user] * (not goes)


@pytest.fixture
def stale(database, unnoticed):
    """Three users who were typing, and three idle for long."""
    session = rows.new_session(database)["id"]
    database.execute(
        "insert into user_activity (session_id, user_id, activity_type)"
        " select %s, gen_random_uuid(), kind from unnest(array['typing', 'idle']) kind, generate_series(1, 3)",
        [session],
    )
    unnoticed.execute("update user_activity set updated_at = now() - interval '2 hours'")
    return rows.column(database, "select id from user_activity order by activity_type")


@pytest.mark.usefixtures("stale")
def test_activity_is_deleted_in_batches(database):
    """So many of each kind a run."""
    assert [rows.value(database, "select cleanup_activity(2)") for _ in range(3)] == [4, 2, 0]


def test_activity_that_somebody_holds_is_skipped(database, other, stale):
    """One of each kind: the others go without waiting."""
    held = [stale[0], stale[-1]]
    other.autocommit = False
    other.execute("select from user_activity where id = any(%s) for update", [held])
    database.execute("set lock_timeout = '200ms'")
    assert rows.value(database, "select cleanup_activity()") == 4
    assert set(rows.column(database, "select id from user_activity")) == set(held)


@pytest.mark.parametrize(
    "call",
    [
        "cleanup_expired_sessions()",
        "delete_closed_sessions()",
        "cleanup_participants()",
        "cleanup_activity()",
        "cleanup_job_runs()",
        "schedule_cleanup()",
        "cleanup_status()",
    ],
)
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_clients_do_not_clean_up(database, role, call):
    """Cron does, and the operator."""
    with rows.acting_as(database, role), pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute(f"select {call}")


def test_the_secret_key_may_clean_up(database, ended):
    """For projects without pg_cron: the jobs' commands run as service_role too."""
    session = ended(MONTH + SECOND)
    with rows.acting_as(database, "service_role"):
        for job in ("cleanup_expired_sessions", "delete_closed_sessions", "cleanup_participants", "cleanup_activity"):
            database.execute(f"select {job}()")
    assert left(database, [session]) == []


@pytest.fixture
def without_cron(stack):
    """A superuser's connection to whom pg_cron is missing, until the end of the test."""
    with psycopg.connect(stack.admin_db_url) as connection:
        connection.execute("drop extension if exists pg_cron")
        yield connection
        connection.rollback()


@pytest.mark.parametrize("role", ["postgres", "service_role"])
def test_without_pg_cron_nothing_is_scheduled(without_cron, role):
    """And the status says so, with what should run and when."""
    with rows.acting_as(without_cron, role):
        jobs = rows.every(without_cron, "select * from cleanup_status()")
    assert {job["job"]: job["schedule"] for job in jobs} == JOBS
    for job in jobs:
        assert job["command"].startswith("select public.")
        assert [job[name] for name in ("is_scheduled", "last_run_at", "last_status", "last_message")] == [
            False, None, None, None
        ]  # fmt: skip


def test_without_pg_cron_scheduling_is_refused(without_cron):
    """With the command that enables it."""
    said = rows.refusal(without_cron, "select schedule_cleanup()")
    assert (said.sqlstate, said.message_primary) == ("55000", "pg_cron is not enabled in this database")
    assert "create extension if not exists pg_cron" in said.message_hint


def test_every_jobs_command_runs(database):
    """As pg_cron would run it; the notes of runs need pg_cron."""
    commands = rows.column(database, "select command from cleanup_status() where job <> 'cleanup-job-runs'")
    assert len(commands) == 4
    for command in commands:
        database.execute(command)
