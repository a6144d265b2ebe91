"""What the real server's polling shows on the wire, and how it is turned off."""

import asyncio

import pytest

from supalocal.realtime import replication

# A busy machine may take longer between two commits than what makes them one poll: here it has ten times that.
GATHERING = 10 * replication.QUIET_SECONDS
RESTING = 3 * GATHERING + 2 * replication.PAUSE_SECONDS


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Commits have more time to be together."""
    monkeypatch.setattr(replication, "QUIET_SECONDS", GATHERING)
    monkeypatch.setattr(replication, "LONGEST_GATHERING_SECONDS", 10 * GATHERING)


@pytest.fixture
async def client(connect, serve):
    """Of a server of the test's own: it asks a minute later whether tables came or went, and subscribes anew if so."""
    async with serve() as url, connect(url=url) as opened:
        yield opened


@pytest.fixture
async def other(db):
    """A second published table."""
    await db.execute("create table other (id int primary key, code char(4))")
    await db.execute("grant all on other to anon, authenticated")
    await db.execute("alter publication supabase_realtime add table other")
    yield "other"
    await db.execute("drop table if exists other")


@pytest.fixture
async def failing(db, table):
    """The table with a policy that fails for the row 0."""
    await db.execute(f"alter table {table} enable row level security")
    await db.execute(f"create policy bad on {table} for select using (1 / id is not null)")
    return table


async def committed_together(db, *statements):
    """Commit each by itself, soon after one another, after a pause; their number makes no difference then."""
    await asyncio.sleep(RESTING)
    await db.execute(" ; commit; ".join(statements))


def binding(table, **more):
    return {"event": "*", "schema": "public", "table": table, **more}


async def test_a_row_that_is_gone_again_was_never_inserted(client, db, owned):
    """Who may see a row is asked when the poll is made, and nobody sees what was deleted by then."""
    await client.subscribe(binding(owned))
    await committed_together(db, f"insert into {owned} values (1)", f"delete from {owned}")
    assert (await client.change())["type"] == "DELETE"


async def test_a_failing_policy_loses_what_was_committed_beside_it(client, db, failing, other):
    """The whole poll is lost for everyone, and what follows until the real server would read on."""
    await client.subscribe(binding(failing), binding(other))
    await committed_together(
        db, "insert into other values (1)", f"insert into {failing} values (0)", "insert into other values (2)"
    )
    await asyncio.sleep(RESTING)
    await db.execute("insert into other values (3)")
    assert (await client.change())["record"]["id"] == 3


async def test_a_filter_that_fails_for_null_loses_the_poll(client, db, other, table):
    """Types without equality fail whatever the value, as the real server's comparison does."""
    await db.execute(f"alter table {other} add raw json")
    await client.subscribe(binding(other, filter="raw=eq.{}"), binding(table))
    await committed_together(db, "insert into other values (1)", f"insert into {table} values (1)")
    await asyncio.sleep(RESTING)
    await db.execute(f"insert into {table} values (2)")
    assert (await client.change())["record"]["id"] == 2


async def test_a_table_that_is_gone_by_then_is_passed_over(client, db, table, other):
    """The log is read for the tables that are published when the poll is made."""
    await client.subscribe(binding(other), binding(table))
    await committed_together(db, "insert into other values (1)", "drop table other", f"insert into {table} values (2)")
    assert (await client.change())["record"]["id"] == 2


async def test_a_column_that_is_gone_by_then_loses_the_poll(client, db, table, other):
    """The real server asks for the privilege on each logged column, which fails without the column."""
    await client.subscribe(binding(other), binding(table))
    await committed_together(
        db, "insert into other values (1)", "alter table other drop column code", f"insert into {table} values (1)"
    )
    await asyncio.sleep(RESTING)
    await db.execute(f"insert into {table} values (2)")
    assert (await client.change())["record"]["id"] == 2


async def test_values_read_by_the_type_that_they_were_logged_with(client, db, other):
    """The columns tell the type of now, the record holds the value of then."""
    await db.execute(f"alter table {other} add number int")
    await client.subscribe(binding(other))
    await committed_together(db, "insert into other values (1, 'x', 5)", "alter table other alter number type text")
    change = await client.change()
    assert (change["columns"][-1]["type"], change["record"]["number"]) == ("text", 5)


async def test_a_new_column_shows_in_an_older_change(client, db, other):
    """The columns are those of now, the values those of the change."""
    await client.subscribe(binding(other))
    await committed_together(db, "insert into other values (1)", "alter table other add added int")
    change = await client.change()
    assert ([column["name"] for column in change["columns"]], change["record"]) == (
        ["id", "code", "added"],
        {"id": 1, "code": None},
    )


async def test_a_key_is_the_one_that_was_logged(client, db, other):
    """A row that had a primary key when it changed is sent, though the table has lost the key since."""
    await client.subscribe(binding(other))
    await committed_together(
        db,
        "insert into other values (1)",
        "alter table other drop constraint other_pkey",
        "insert into other values (2)",
    )
    assert [(await client.change())["errors"] for _ in range(2)] == [None, ["Error 400: Bad Request, no primary key"]]


async def test_a_row_is_looked_up_by_the_key_that_was_logged(client, db, owned):
    """Under row level security each change is looked up by its own key."""
    await db.execute(f"create policy all_rows on {owned} for select using (true)")
    await db.execute(f"alter table {owned} add number int not null default 5")
    await client.subscribe(binding(owned))
    await committed_together(
        db,
        f"insert into {owned} values (1)",
        f"alter table {owned} drop constraint {owned}_pkey",
        f"alter table {owned} add primary key (number)",
        f"update {owned} set number = 6",
    )
    assert [(await client.change())["record"]["number"] for _ in range(2)] == [5, 6]


async def test_a_selection_lists_the_key_of_now(client, db, other):
    """Beside what is selected, the columns name the key that the table has now, the record holds that of then."""
    await client.subscribe(binding(other, select=["code"]))
    await committed_together(db, "insert into other values (1)", "alter table other drop constraint other_pkey")
    change = await client.change()
    assert ([column["name"] for column in change["columns"]], change["record"]) == (["code"], {"id": 1, "code": None})


async def test_an_action_that_is_published_no_more_is_passed_over(client, db, other):
    """The log is read for the actions that are published when the poll is made."""
    await client.subscribe(binding(other))
    try:
        await committed_together(
            db,
            "insert into other values (1)",
            "alter publication supabase_realtime set (publish = 'delete')",
            "delete from other",
        )
        assert (await client.change())["type"] == "DELETE"
    finally:
        await db.execute("alter publication supabase_realtime set (publish = 'insert, update, delete, truncate')")


async def test_selections_in_another_order_are_one(client, db, table):
    """Bindings that select the same columns share a message."""
    ids = await client.subscribe(binding(table, select=["owner", "body"]), binding(table, select=["body", "owner"]))
    await db.execute(f"insert into {table} values (1)")
    event, payload, _ = await client.receive()
    assert (event, sorted(payload["ids"])) == ("postgres_changes", sorted(ids))


async def test_selections_follow_each_other_as_texts(client, db, table):
    """The messages of one change are ordered by their columns' names, joined by commas."""
    await db.execute(f'alter table {table} add "body!" text')
    ids = await client.subscribe(binding(table, select=["body", "owner"]), binding(table, select=["body!"]))
    await db.execute(f"insert into {table} values (1)")
    assert [(await client.receive())[1]["ids"] for _ in range(2)] == [[ids[1]], [ids[0]]]


async def test_without_quirks_a_failure_costs_its_own_subscriber(connect, serve, db, failing, other):
    """The failing binding misses the change; everything else arrives, beside it too."""
    async with serve(quirks=False) as url, connect(url=url) as client:
        await client.subscribe(binding(failing), binding(other))
        await committed_together(
            db, "insert into other values (1)", f"insert into {failing} values (0)", f"insert into {failing} values (2)"
        )
        assert [(await client.change())["record"]["id"] for _ in range(2)] == [1, 2]


async def test_without_quirks_a_failing_filter_spares_its_neighbours(connect, serve, db, table):
    """Of two bindings to one table only the one whose filter fails misses the change."""
    await db.execute(f"alter table {table} add raw json")
    async with serve(quirks=False) as url, connect(url=url) as client:
        good, _ = await client.subscribe(binding(table), binding(table, filter="raw=eq.{}"))
        await db.execute(f"insert into {table} values (1)")
        assert (await client.receive())[1]["ids"] == [good]


async def test_without_quirks_characters_are_whole(connect, serve, db, other):
    """`char(n)` shows all its characters, and filters compare them."""
    async with serve(quirks=False) as url, connect(url=url) as client:
        await client.subscribe(binding(other, filter="code=eq.ABCD"))
        await db.execute("insert into other values (1, 'AXYZ'), (2, 'ABCD')")
        assert (await client.change())["record"] == {"id": 2, "code": "ABCD"}


async def test_no_slot_outlives_its_server(serve, db):
    """Once closed, the server keeps nobody from dropping the database."""
    names = "select slot_name from pg_replication_slots where database = current_database()"
    before = await (await db.execute(names)).fetchall()
    for _ in range(5):
        async with serve():
            pass
        assert await (await db.execute(names)).fetchall() == before
