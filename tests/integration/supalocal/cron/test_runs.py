"""Jobs of the stand-in for pg_cron, run on a clock that the test moves."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from supalocal.cron import Cron

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOON = 20.0  # seconds until something has surely happened


class Hands:
    """A clock whose hands the test moves."""

    def __init__(self, now=NOON):
        self._now = now
        self._moved = asyncio.Condition()
        self.until = None

    def now(self):
        return self._now

    async def wait(self, until):
        async with self._moved:
            self.until = until
            self._moved.notify_all()
            await self._moved.wait_for(lambda: until is not None and self._now >= until)

    async def looked_at_for(self, until):
        """Wait for somebody who waits for that time."""
        async with asyncio.timeout(SOON), self._moved:
            await self._moved.wait_for(lambda: self.until == until)

    async def move(self, to):
        async with self._moved:
            self._now = to
            self._moved.notify_all()


@pytest.fixture
async def hands():
    return Hands()


@pytest.fixture
async def told(prepared):
    """Hears whenever a run was noted or has changed; yields a function that waits until a query returns something."""
    async with await psycopg.AsyncConnection.connect(prepared.admin, autocommit=True) as connection:
        await connection.execute("set role postgres; create extension pg_cron; reset role")
        await connection.execute(
            "create function public.tell() returns trigger language plpgsql as 'begin notify runs; return null; end';"
            "create trigger tell after insert or update on cron.job_run_details execute function public.tell();"
            "create table public.happened (what text); grant all on public.happened to public;"
            "create trigger tell after insert on public.happened execute function public.tell(); listen runs"
        )

        async def until(query, expected):
            while (found := await (await connection.execute(query)).fetchall()) != expected:
                heard = [None async for _ in connection.notifies(timeout=SOON, stop_after=1)]
                assert heard, f"still {found}"

        yield until


@pytest.fixture
def running(prepared, hands):
    """Runs the database's jobs by the test's clock."""

    @asynccontextmanager
    async def running():
        cron = Cron(admin=prepared.admin, login=prepared.postgres, clock=hands)
        cron.start()
        try:
            yield
        finally:
            await cron.close()

    return running


async def schedule(connection, name, schedule, command):
    await connection.execute("select cron.schedule(%s, %s, %s)", [name, schedule, command])


RUNS = "select status, return_message from cron.job_run_details order by runid"


async def test_a_job_runs_when_it_is_due(told, running, hands, postgres):
    """At the minute's beginning and not before; everything about the run is noted."""
    await schedule(postgres, "tick", "* * * * *", "insert into happened values (current_user)")
    async with running():
        await hands.looked_at_for(due := NOON.replace(minute=1, second=0))
        await hands.move(due)
        await told(RUNS, [("succeeded", "INSERT 0 1")])
    [details] = await (await postgres.execute("select * from cron.job_run_details")).fetchall()
    jobid, runid, pid, database, username, command, *_, start, end = details
    assert (jobid, runid, database, username) == (1, 1, postgres.info.dbname, "postgres")
    assert pid > 0
    assert command == "insert into happened values (current_user)"
    assert (start, end) == (due, due)
    assert await (await postgres.execute("select what from happened")).fetchall() == [("postgres",)]


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("select 1", ("succeeded", "1 row")),
        ("select generate_series(1, 3)", ("succeeded", "3 rows")),
        ("delete from happened", ("succeeded", "DELETE 0")),
        ("create table made (); drop table made", ("succeeded", "DROP TABLE")),
        ("vacuum happened", ("succeeded", "VACUUM")),
        ("", ("succeeded", "0 rows")),
        ("select 1/0", ("failed", "ERROR:  division by zero\n")),
        (
            "insert into happened values (1); select x",
            ("failed", 'ERROR:  column "x" does not exist\n'
                       "LINE 1: insert into happened values (1); select x\n" + " " * 48 + "^\n"),
        ),
        ("copy happened to stdout", ("failed", "COPY not supported")),
        ("select '%s'", ("succeeded", "1 row")),
    ],
)  # fmt: skip
async def test_how_a_run_ended_is_noted(told, running, hands, postgres, command, outcome):
    """In pg_cron's words."""
    await schedule(postgres, "job", "* * * * *", command)
    async with running():
        await hands.looked_at_for(due := NOON.replace(minute=1, second=0))
        await hands.move(due)
        await told(RUNS, [outcome])
    assert await (await postgres.execute("select what from happened")).fetchall() == []


async def test_a_job_of_who_cannot_log_in_fails(told, running, hands, postgres, admin):
    """As does one whose database is gone."""
    await admin.execute("grant usage on schema cron to anon; set role anon")
    await schedule(admin, "anon", "* * * * *", "select 1")
    async with running():
        await hands.looked_at_for(due := NOON.replace(minute=1, second=0))
        await hands.move(due)
        await told(RUNS, [("failed", "connection failed")])
    assert await (await postgres.execute("select job_pid, end_time from cron.job_run_details")).fetchall() == [
        (None, None)
    ]


async def test_a_job_scheduled_meanwhile_is_seen(told, running, hands, postgres):
    """Without a look at the table every so often."""
    async with running():
        await hands.looked_at_for(None)
        await schedule(postgres, "new", "15 seconds", "select 1")
        await hands.looked_at_for(due := NOON + timedelta(seconds=15))
        await hands.move(due)
        await told(RUNS, [("succeeded", "1 row")])


async def test_an_unscheduled_job_does_not_run(told, running, hands, postgres):
    """Nor one that was deactivated."""
    await schedule(postgres, "gone", "* * * * *", "select 1")
    await schedule(postgres, "paused", "* * * * *", "select 2")
    await schedule(postgres, "kept", "5 13 * * *", "select 3")
    async with running():
        await hands.looked_at_for(NOON.replace(minute=1, second=0))
        await postgres.execute("select cron.unschedule('gone'), cron.alter_job(2, active := false)")
        await hands.looked_at_for(due := NOON.replace(hour=13, minute=5, second=0))
        await hands.move(due)
        await told("select command, status from cron.job_run_details", [("select 3", "succeeded")])


async def test_one_run_at_a_time(told, running, hands, postgres, admin):
    """What comes due meanwhile waits for the end, and then runs."""
    await schedule(postgres, "slow", "* * * * *", "insert into happened values ('here'); select pg_advisory_lock(1)")
    await admin.execute("select pg_advisory_lock(1)")
    async with running():
        for minute in (1, 2):
            await hands.looked_at_for(due := NOON.replace(minute=minute, second=0))
            await hands.move(due)
        await hands.looked_at_for(due + MINUTE)
        await told("select status from cron.job_run_details", [("running",)])
        await admin.execute("select pg_advisory_unlock(1)")
        await told(RUNS, [("succeeded", "1 row")] * 2)


async def test_of_an_interval_job_one_run_waits(told, running, hands, postgres, admin):
    """However long the first one takes."""
    await schedule(postgres, "slow", "1 second", "select pg_advisory_lock(1)")
    await admin.execute("select pg_advisory_lock(1)")
    async with running():
        for second in (1, 2, 3, 4):
            await hands.looked_at_for(due := NOON + timedelta(seconds=second))
            await hands.move(due)
        await hands.looked_at_for(due + timedelta(seconds=1))
        await admin.execute("select pg_advisory_unlock(1)")
        await told(RUNS, [("succeeded", "1 row")] * 2)


async def test_missed_runs_are_not_made_up_for(told, running, hands, postgres):
    """After an hour's sleep a minutely job runs once."""
    await schedule(postgres, "tick", "* * * * *", "select 1")
    async with running():
        await hands.looked_at_for(NOON.replace(minute=1, second=0))
        await hands.move(late := NOON + timedelta(hours=1))
        await hands.looked_at_for((late + MINUTE).replace(second=0))
        await told(RUNS, [("succeeded", "1 row")])


async def test_unscheduling_cancels_the_run(told, running, hands, postgres):
    """Its statement too."""
    await schedule(postgres, "endless", "* * * * *", "select pg_sleep(1000)")
    async with running():
        await hands.looked_at_for(due := NOON.replace(minute=1, second=0))
        await hands.move(due)
        await told("select status from cron.job_run_details", [("running",)])
        await postgres.execute("select cron.unschedule('endless')")
        await told(RUNS, [("failed", "job canceled")])
    await nobody_sleeps(postgres)


async def test_stopping_ends_the_run(told, running, hands, postgres):
    """Its statement is cancelled, and the run is noted as failed."""
    await schedule(postgres, "endless", "* * * * *", "select pg_sleep(1000)")
    async with running():
        await hands.looked_at_for(due := NOON.replace(minute=1, second=0))
        await hands.move(due)
        await told("select status from cron.job_run_details", [("running",)])
    assert await (await postgres.execute(RUNS)).fetchall() == [("failed", "server restarted")]
    await nobody_sleeps(postgres)


async def test_a_start_notes_what_a_crash_cut_short(told, running, hands, admin):
    """Nobody else would; and jobs of the start run then."""
    await admin.execute("insert into cron.job_run_details (status) values ('running'), ('succeeded')")
    await schedule(admin, "first", "@reboot", "select 1")
    async with running():
        await hands.looked_at_for(None)
        await told(RUNS, [("failed", "server restarted"), ("succeeded", None), ("succeeded", "1 row")])


async def test_jobs_outlive_the_stack(told, running, hands, postgres):
    """The next start runs them."""
    await schedule(postgres, "tick", "* * * * *", "select 1")
    async with running():
        await hands.looked_at_for(NOON.replace(minute=1, second=0))
    await hands.move(NOON + timedelta(hours=3))
    async with running():
        await hands.looked_at_for(due := NOON.replace(hour=15, minute=1, second=0))
        await hands.move(due)
        await told(RUNS, [("succeeded", "1 row")])


async def test_a_job_runs_in_its_own_database(told, running, hands, postgres, admin):
    """Another one than that of cron.job."""
    await schedule(postgres, "here", "* * * * *", "select 1")
    await admin.execute("select cron.schedule_in_database('there', '* * * * *', 'select 1', 'template1')")
    await admin.execute("update cron.job set command = $$ select 1 where current_database() = 'template1' $$")
    async with running():
        await hands.looked_at_for(due := NOON.replace(minute=1, second=0))
        await hands.move(due)
        await told(
            "select database = 'template1', return_message from cron.job_run_details order by 1",
            [(False, "0 rows"), (True, "1 row")],
        )


async def test_two_stacks_run_a_job_once(told, running, hands, postgres):
    """Whoever came first runs it."""
    await schedule(postgres, "tick", "* * * * *", "select 1")
    async with running(), running():
        await hands.looked_at_for(due := NOON.replace(minute=1, second=0))
        await hands.move(due)
        await hands.looked_at_for(due + MINUTE)
        await told(RUNS, [("succeeded", "1 row")])


async def test_dropping_the_extension_ends_all_jobs(told, running, hands, postgres):
    """And making it again begins anew."""
    await schedule(postgres, "tick", "* * * * *", "select 1")
    async with running():
        await hands.looked_at_for(due := NOON.replace(minute=1, second=0))
        await postgres.execute("drop extension pg_cron cascade")
        await hands.move(due)
        await hands.looked_at_for(None)
        await postgres.execute(
            "create extension pg_cron; select cron.schedule('5 seconds', 'insert into happened values (1)')"
        )
        await hands.looked_at_for(due + timedelta(seconds=5))
        await hands.move(due + timedelta(seconds=5))
        await told("select what from happened", [("1",)])


async def nobody_sleeps(connection):
    """Return when the statements are at their ends, which a cancellation only asks for."""
    query = "select query from pg_stat_activity where state = 'active' and query like 'select pg_sleep%'"
    async with asyncio.timeout(SOON):
        while await (await connection.execute(query)).fetchall():  # noqa: ASYNC110  Postgres tells nobody
            await asyncio.sleep(0.01)
