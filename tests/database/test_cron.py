"""The clean-up jobs on the real pg_cron and on supalocal's, and what is left of them on a server without either."""

import time

import psycopg
import pytest

import supalocal

JOBS = {
    "cleanup-expired-sessions": "0 * * * *",
    "delete-closed-sessions": "* * * * *",
    "cleanup-participants": "* * * * *",
    "cleanup-activity": "* * * * *",
    "cleanup-job-runs": "30 3 * * *",
}
NEXT_MINUTE = 75.0  # seconds until pg_cron has surely begun what runs every minute


@pytest.fixture(scope="module")
def ticking(root):
    """A stack that runs the jobs itself."""
    with supalocal.Stack(root, seed=False).running() as running:
        yield running


@pytest.fixture
def local(ticking):
    """A connection to its database as postgres."""
    with psycopg.connect(ticking.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(params=["hosted", "local"])
def scheduling(request):
    """A connection to a database whose jobs run: by the real pg_cron, by supalocal."""
    return request.getfixturevalue(request.param)


def expired_session(connection):
    session = connection.execute("select (create_session()).id").fetchone()[0]
    connection.execute("update sessions set expires_at = now() - interval '1 second' where id = %s", [session])
    return session


def is_active(connection, session):
    return connection.execute("select is_active from sessions where id = %s", [session]).fetchone()[0]


def status(connection):
    """What cleanup_status() says of each job."""
    rows = connection.cursor(row_factory=psycopg.rows.dict_row).execute("select * from cleanup_status()")
    return {row.pop("job"): row for row in rows}


def succeeded_since(began, run):
    return run["last_status"] == "succeeded" and run["last_run_at"] >= began


def test_every_job_is_registered(scheduling):
    """By its name, for the owner of the tables, in this database; nothing else is."""
    jobs = scheduling.execute("select jobname, schedule, username, database, active from cron.job").fetchall()
    assert {name: schedule for name, schedule, *_ in jobs} == JOBS
    assert {tuple(rest) for _, _, *rest in jobs} == {("postgres", "postgres", True)}


def test_the_status_is_what_pg_cron_has(scheduling):
    """Schedule and command of each job."""
    jobs = scheduling.execute("select jobname, schedule, command from cron.job").fetchall()
    assert {(job, row["schedule"], row["command"]) for job, row in status(scheduling).items()} == set(jobs)
    assert all(row["is_scheduled"] for row in status(scheduling).values())


@pytest.mark.parametrize("job", JOBS)
def test_a_jobs_command_runs_as_its_user(scheduling, job):
    """The very text that pg_cron would send."""
    command, user = scheduling.execute("select command, username from cron.job where jobname = %s", [job]).fetchone()
    assert user == scheduling.info.user
    scheduling.execute(command)


def test_registering_again_changes_nothing(scheduling):
    """No job is doubled."""
    before = scheduling.execute("select * from cron.job order by jobid").fetchall()
    assert scheduling.execute("select schedule_cleanup()").fetchone() == (len(JOBS),)
    assert scheduling.execute("select * from cron.job order by jobid").fetchall() == before


def test_a_stopped_job_is_told(scheduling):
    """Until it is registered again."""
    scheduling.execute("select cron.unschedule('cleanup-participants')")
    assert not status(scheduling)["cleanup-participants"]["is_scheduled"]
    scheduling.execute("select schedule_cleanup()")
    assert status(scheduling)["cleanup-participants"]["is_scheduled"]


def test_old_runs_are_forgotten(scheduling):
    """Of our jobs; pg_cron keeps them for ever."""
    scheduling.execute(
        "insert into cron.job_run_details (jobid, runid, database, username, command, status, start_time, end_time)"
        " select jobid, -age, database, username, command, 'succeeded', now() - make_interval(days => age),"
        " now() - make_interval(days => age) from cron.job, unnest(array[6, 8]) age where jobname = 'cleanup-activity'"
    )
    assert scheduling.execute("select cleanup_job_runs()").fetchone() == (1,)
    assert scheduling.execute("select runid from cron.job_run_details where runid < 0").fetchall() == [(-6,)]
    scheduling.execute("delete from cron.job_run_details where runid < 0")


@pytest.mark.parametrize(
    ("scheduling", "often"), [("hosted", "* * * * *"), ("local", "1 second")], indirect=["scheduling"]
)
def test_a_job_really_runs(scheduling, often):
    """An expired session is closed, and the status tells of the run."""
    session = expired_session(scheduling)
    began = scheduling.execute("select now()").fetchone()[0]
    scheduling.execute(
        "select cron.schedule(jobname, %s, command) from cron.job where jobname = 'cleanup-expired-sessions'", [often]
    )
    deadline = time.monotonic() + NEXT_MINUTE
    try:
        while not succeeded_since(began, run := status(scheduling)["cleanup-expired-sessions"]):
            assert time.monotonic() < deadline, f"nothing ran: {run}"
            time.sleep(0.2)  # pg_cron announces nothing
    finally:
        scheduling.execute("select schedule_cleanup()")
    assert not is_active(scheduling, session)


def test_without_pg_cron_the_migrations_say_what_will_not_run(without_cron):
    """In one notice that names every job."""
    _, notices = without_cron
    [notice] = [notice for notice in notices if "pg_cron" in notice]
    assert [job for job in JOBS if job not in notice] == []


def test_without_pg_cron_the_status_answers(without_cron):
    """Every job, none of them scheduled."""
    connection, _ = without_cron
    found = status(connection)
    assert {job: row["schedule"] for job, row in found.items()} == JOBS
    assert {(row["is_scheduled"], row["last_run_at"], row["last_status"]) for row in found.values()} == {
        (False, None, None)
    }


def test_without_pg_cron_registering_says_what_to_do(without_cron):
    """A sentence, and the statement that helps."""
    connection, _ = without_cron
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="pg_cron is not enabled") as caught:
        connection.execute("select schedule_cleanup()")
    assert "create extension if not exists pg_cron" in caught.value.diag.message_hint
