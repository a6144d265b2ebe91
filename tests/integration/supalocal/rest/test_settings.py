"""Settings that stand in the database: `alter role authenticator set pgrst....`."""

from collections.abc import AsyncIterator, Callable

import aiohttp
import psycopg
import pytest
from psycopg import sql

SCHEMA = """
create table sales (id int primary key, town text, amount int);
insert into sales values (1, 'Lima', 5), (2, 'Lima', 7), (3, 'Oslo', null);
create function refuse_nobody() returns void language plpgsql as $$
begin
  if current_setting('request.path') = '/sales' and current_user = 'anon' then raise sqlstate 'PT418'; end if;
end $$;
create function seen_path() returns text stable language sql as $$ select current_setting('search_path') $$;
grant select, insert on sales to anon, service_role;
"""


@pytest.fixture
async def configure(served) -> AsyncIterator[Callable]:
    """Sets one setting until the test ends, as a migration would."""
    async with await psycopg.AsyncConnection.connect(served.admin_db_url, autocommit=True) as database:

        async def configure(name, value):
            statement = sql.SQL("alter role authenticator set {} = {}; notify pgrst, 'reload config'")
            await database.execute(statement.format(sql.Identifier("pgrst", name), sql.Literal(value)))
            await heard(served)

        yield configure
        await database.execute("alter role authenticator reset all; notify pgrst")
        await heard(served)


async def heard(served):
    """Notifications arrive in order: once a table made later is known, so is all before it."""
    async with (
        await psycopg.AsyncConnection.connect(served.admin_db_url, autocommit=True) as database,
        aiohttp.ClientSession() as session,
    ):
        await database.execute("create table mark (id int); grant select on mark to service_role")
        async with session.get(f"{served.url}/rest/v1/mark", headers={"apikey": served.secret_key}) as answer:
            assert answer.status == 200
        await database.execute("drop table mark")


async def told(http, path, **options):
    async with http.get(path, **options) as answer:
        return answer.status, await answer.json()


async def test_aggregates_can_be_switched_on(http, configure):
    """They are off at first; switched on, rows are grouped by what is selected beside them."""
    assert (await told(http, "sales?select=amount.sum()"))[1]["code"] == "PGRST123"
    await configure("db_aggregates_enabled", "true")
    assert await told(http, "sales?select=town,amount.sum(),count()&order=town") == (
        200,
        [{"town": "Lima", "sum": 12, "count": 2}, {"town": "Oslo", "sum": None, "count": 1}],
    )


async def test_plans_can_be_switched_on(http, configure):
    """Then a plan comes back in place of the rows, with its own media type."""
    accept = {"Accept": 'application/vnd.pgrst.plan+json; for="application/json"; options=analyze|verbose'}
    assert (await told(http, "sales", headers=accept))[0] == 406
    await configure("db_plan_enabled", "true")
    async with http.get("sales", headers=accept) as answer:
        plan = await answer.json(content_type="application/vnd.pgrst.plan+json")
        assert answer.headers["Content-Type"] == (
            'application/vnd.pgrst.plan+json; for="application/json"; options=analyze|verbose; charset=utf-8'
        )
    assert plan[0]["Plan"]["Node Type"] == "Aggregate"


async def test_a_client_may_roll_back_where_it_is_allowed(http, configure):
    """The answer is as if the row were there; it is not."""
    await configure("db_tx_end", "commit-allow-override")
    prefer = {"Prefer": "return=representation, tx=rollback"}
    async with http.post("sales", json={"id": 9}, headers=prefer) as answer:
        assert (answer.status, await answer.json()) == (201, [{"id": 9, "town": None, "amount": None}])
        assert answer.headers["Preference-Applied"] == "return=representation, tx=rollback"
    assert await told(http, "sales?id=eq.9") == (200, [])


async def test_a_request_sees_its_schema_and_then_the_extra_search_path(http, configure):
    """The schema stands first, and once more where it is in the extra path."""
    assert await told(http, "rpc/seen_path") == (200, '"public", "public", "extensions"')
    await configure("db_extra_search_path", "extensions")
    assert await told(http, "rpc/seen_path") == (200, '"public", "extensions"')


async def test_rows_can_be_limited(http, configure):
    """To fewer than the project says."""
    await configure("db_max_rows", "2")
    assert len((await told(http, "sales"))[1]) == 2


async def test_a_function_can_judge_requests_first(served, http, configure):
    """It runs as the caller and sees the request; what it raises is the answer."""
    await configure("db_pre_request", "public.refuse_nobody")
    assert (await told(http, "sales?select=id&id=eq.1")) == (200, [{"id": 1}])
    async with http.get("sales", headers={"apikey": served.publishable_key}) as answer:
        assert answer.status == 418
