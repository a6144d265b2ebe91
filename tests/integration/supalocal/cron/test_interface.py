"""The SQL of the stand-in for pg_cron: what it takes, refuses and keeps, compared with the real one where that is."""

import psycopg
import pytest
from support import servers

HINT = "Use cron format (e.g. 5 4 * * *), or interval format '[1-59] seconds'"
TAKEN = """
* * * * *|*/61 * * * *|* * * * 7|* * * * 0-7|* * * jan *|* * * JAN-mar/2 *|* * * * mon-fri|* * * * sun,7|5-1 * * * *
* * * * fri-sun|@daily|@reboot|@hourly x| @weekly|  * * * * *  |1,2,3-9/2 * * * *|*,5 * * * *|0 0 30 2 *
05 * * * *|* * * * * *|0 0 * * * *|* * * * * # x
"""
REFUSED = """
5x * * * *|1/20 * * * *|*/0 * * * *|60 * * * *|* 24 * * *|* * 0 * *|* * 32 * *|* * * 13 *|* * * 0 *|* * * * 8|@foo
@DAILY||   |* * * *|1, 2 * * * *|$ * * * *|0 0 L * *|# x|mon * * * *|0 0 1 january *|-1 * * * *|0 0 * * $|1--2 * * * *
1,,2 * * * *|1, * * * *|*/a * * * *|1 minute|every day
"""
SECONDS = ["1 second", "30 seconds", " 59  SECONDS ", "1 seconds", "007 second"]
NO_SECONDS = ["0 seconds", "60 seconds", "-1 seconds", "1.5 seconds", "30 secs", "30 second x", "seconds"]


def listed(text):
    return [schedule for line in text.strip("\n").split("\n") for schedule in line.split("|")]


async def outcome(connection, query, *values):
    """Rows, or what the error says."""
    try:
        return await (await connection.execute(query, values)).fetchall()
    except psycopg.Error as exc:
        return exc.sqlstate, exc.diag.message_primary, exc.diag.message_detail, exc.diag.message_hint


@pytest.fixture
async def cron(postgres):
    """A connection as postgres, who has made the extension."""
    await postgres.execute("create extension if not exists pg_cron with schema pg_catalog")
    return postgres


@pytest.fixture(scope="module")
def real_server():
    """Debian's Postgres 15 with the real pg_cron."""
    try:
        if not servers.has_cron(servers.installation(15)):
            pytest.skip("needs Debian's postgresql-15-cron")
        with servers.running(15) as server:
            yield server
    except servers.ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
async def real(real_server):
    """A connection to it as postgres; without any job."""
    async with await psycopg.AsyncConnection.connect(real_server.url(), autocommit=True) as connection:
        await connection.execute("select cron.unschedule(jobid) from cron.job")
        yield connection


async def test_schedules_that_are_taken(cron):
    """Of five fields, by name, and of seconds."""
    asked = [*listed(TAKEN), *SECONDS, "* * $ * *", "0 12 $ */2 *"]
    ids = [await outcome(cron, "select cron.schedule(%s, 'select 1')", schedule) for schedule in asked]
    assert ids == [[(number,)] for number, _ in enumerate(asked, 1)]


async def test_schedules_that_are_refused(cron):
    """In pg_cron's words."""
    for schedule in (*listed(REFUSED), *NO_SECONDS):
        refusal = ("22023", f"invalid schedule: {schedule}", None, HINT)
        assert await outcome(cron, "select cron.schedule(%s, 'select 1')", schedule) == refusal
        assert await outcome(cron, "select cron.schedule('named', %s, 'select 1')", schedule) == refusal


async def test_the_real_one_takes_and_refuses_the_same(cron, real):
    """Of what its version 1.4 knows: no seconds, no last day."""
    for schedule in (*listed(TAKEN), *listed(REFUSED)):
        query = "select count(cron.schedule(%s, 'select 1'))"
        assert (await outcome(cron, query, schedule))[:2] == (await outcome(real, query, schedule))[:2]


CONVERSATION = [
    "select cron.schedule('first', '* * * * *', 'select 1') > 0",
    "select cron.schedule('first', '1 * * * *', 'select 2') = cron.schedule('first', '2 * * * *', 'select 3')",
    "select schedule, command, nodename, database, username, active, jobname from cron.job",
    "select cron.schedule(null, '* * * * *', 'x')",
    "select cron.schedule('a', null, 'x')",
    "select cron.schedule('a', '* * * * *', null)",
    "select cron.schedule(null::text, 'x')",
    "select cron.schedule('* * * * *', 'select 1') > 0, cron.schedule('* * * * *', 'select 1') > 0",
    "select jobname, count(*) from cron.job group by 1 order by 1",
    "select cron.unschedule('nowhere')",
    "select cron.unschedule(99999)",
    "select cron.unschedule(null::bigint)",
    "select cron.alter_job(99999, schedule := '* * * * *')",
    "select cron.alter_job(null)",
    "select cron.alter_job(1)",
    "select cron.alter_job(1, username := 'anon')",
    "select cron.alter_job(1, database := 'nowhere')",
    "select cron.alter_job(jobid, active := false) from cron.job where jobname = 'first'",
    "select cron.schedule('first', '5 * * * *', 'select 5') > 0",
    "select schedule, command, active from cron.job where jobname = 'first'",
    "select cron.alter_job(jobid, '7 * * * *', 'x', 'template1', null, true) from cron.job where jobname = 'first'",
    "select schedule, command, database, active from cron.job where jobname = 'first'",
    "select cron.schedule_in_database('b', '* * * * *', 'x', 'nowhere')",
    "select cron.schedule_in_database('b', '* * * * *', 'x', 'template1', 'anon')",
    "select cron.schedule_in_database('b', '* * * * *', 'x', 'template1', active := false) > 0",
    "select cron.schedule_in_database('c', '* * * * *', 'x', null) > 0",
    "select cron.schedule_in_database(null, '* * * * *', 'x', 'template1')",
    "select jobname, database, active from cron.job where jobname in ('b', 'c') order by 1",
    "insert into cron.job (schedule, command) values ('* * * * *', 'x')",
    "update cron.job set active = false",
    "delete from cron.job",
    "select cron.unschedule('first'), cron.unschedule('b')",
    "select nextval('cron.jobid_seq')",
    "select cron.alter_job(jobid, schedule := 'nonsense') is null from cron.job where jobname = 'c' and false",
    "grant usage on schema cron to anon",
    "set role anon",
    "select cron.schedule('of anon', '* * * * *', 'x') > 0",
    "select jobname, username from cron.job",
    "select cron.unschedule('c')",
    "select cron.alter_job(1, active := false)",
    "select cron.schedule_in_database('b', '* * * * *', 'x', 'template1')",
    "select nextval('cron.jobid_seq')",
    "insert into cron.job_run_details (jobid) values (1)",
    "select cron.unschedule('of anon')",
    "reset role",
    "select cron.unschedule('c')",
]


async def test_a_conversation_is_answered_as_by_the_real_one(cron, real):
    """Statement by statement, as postgres and as anon; only the database's name differs."""
    name = cron.info.dbname
    ours = [(query, str(await outcome(cron, query)).replace(name, "postgres")) for query in CONVERSATION]
    assert ours == [(query, str(await outcome(real, query))) for query in CONVERSATION]


async def test_a_superuser_schedules_for_others(cron, admin):
    """For roles that can log in."""
    call = "select cron.schedule_in_database('job', '* * * * *', 'x', %s, %s)"
    assert await outcome(admin, call, cron.info.dbname, "authenticator") == [(1,)]
    assert await outcome(admin, call, cron.info.dbname, "nobody") == (
        "XX000",
        'role "nobody" does not exist',
        None,
        None,
    )
    assert await outcome(admin, call, cron.info.dbname, "anon") == (
        "XX000",
        'role "anon" can not log in',
        "Jobs may only be run by roles that have the LOGIN attribute.",
        None,
    )
    await admin.execute("select cron.alter_job(1, username := 'postgres')")
    assert await outcome(cron, "select username from cron.job") == [("postgres",)]
    assert await outcome(cron, "select cron.unschedule(1)") == [(True,)]


async def test_a_job_belongs_to_who_defines_the_function(cron, admin):
    """A security definer function schedules for its owner, whoever calls it; nobody schedules for another."""
    await cron.execute(
        "create function public.plan() returns bigint language sql security definer"
        " as $$ select cron.schedule('planned', '* * * * *', 'select 1') $$"
    )
    await admin.execute("set role anon; select public.plan(); reset role")
    assert await outcome(admin, "select jobname, username from cron.job") == [("planned", "postgres")]
    forged = "insert into cron.owned_job (jobid, schedule, command, username) values (null, '', '', 'supabase_admin')"
    assert (await outcome(cron, forged))[0] == "44000"


async def test_columns_are_pg_crons(cron, real):
    """Name by name and type by type; 1.4 had a shorter type for a job's name."""
    query = (
        "select table_name, column_name, data_type, is_nullable from information_schema.columns"
        " where table_schema = 'cron' and table_name in ('job', 'job_run_details') order by 1, ordinal_position"
    )
    theirs = [(*row[:2], "text", *row[3:]) if row[2] == "name" else row for row in await outcome(real, query)]
    assert await outcome(cron, query) == theirs


async def test_postgres_has_hosteds_rights(cron, real):
    """On the tables and functions that both have."""
    query = """
        select relname::text, privilege_type, is_grantable from pg_class, aclexplode(relacl)
        where relnamespace = 'cron'::regnamespace and grantee = 'postgres'::regrole
          and privilege_type <> 'MAINTAIN' -- new in Postgres 17
        union all
        select distinct proname::text, privilege_type, is_grantable from pg_proc, aclexplode(proacl)
        where pronamespace = 'cron'::regnamespace and grantee = 'postgres'::regrole
          and proname in ('schedule', 'unschedule', 'alter_job', 'schedule_in_database')
        order by 1, 2
    """
    assert await outcome(cron, query) == await outcome(real, query)
