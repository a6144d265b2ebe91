"""Changes of the database, from the write-ahead log to a socket."""

import aiohttp
import psycopg

ANON, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


async def test_changes_arrive(connect, vsn, db, table):
    """Insert, update and delete arrive in commit order, with what each carries."""
    async with connect(vsn) as client:
        await client.subscribe({"event": "*", "schema": "public", "table": table})
        await db.execute(f"insert into {table} values (1, null, 'tea')")
        await db.execute(f"update {table} set body = 'coffee'")
        await db.execute(f"delete from {table}")
        changes = [await client.change() for _ in range(3)]
    assert [(data["type"], data.get("record"), data.get("old_record")) for data in changes] == [
        ("INSERT", {"id": 1, "owner": None, "body": "tea"}, None),
        ("UPDATE", {"id": 1, "owner": None, "body": "coffee"}, {"id": 1}),
        ("DELETE", None, {"id": 1}),
    ]


async def test_a_change_names_its_binding(client, db, table):
    """The ids of the reply come back with the changes, the last binding first."""
    whole = {"event": "*", "schema": "public", "table": table}
    ids = await client.subscribe(whole, {**whole, "event": "INSERT"}, {**whole, "event": "DELETE"})
    await db.execute(f"insert into {table} values (1)")
    _, payload, _ = await client.receive()
    assert payload["ids"] == [ids[1], ids[0]]


async def test_a_filter_is_compared_with_the_columns_type(client, db, table):
    """An integer filter compares numbers, and a change outside it is not sent."""
    await client.subscribe({"event": "*", "schema": "public", "table": table, "filter": "id=gt.9"})
    await db.execute(f"insert into {table} values (8), (10)")
    assert (await client.change())["record"]["id"] == 10


async def test_everything_after_ready_arrives(connect, db, table):
    """No change committed after the ready message is lost, however soon it follows."""
    for number in range(10):
        async with connect() as client:
            await client.subscribe({"event": "INSERT", "schema": "public", "table": table})
            await db.execute(f"insert into {table} values (%s)", [number])
            assert (await client.change())["record"]["id"] == number


async def test_row_level_security_decides(connect, sign, db, owned):
    """Each subscriber gets the rows that its own claims show, and service_role all."""
    binding = {"event": "INSERT", "schema": "public", "table": owned}
    async with connect() as mine, connect() as all_seeing:
        await mine.subscribe(binding, token=sign(sub=ANON))
        await all_seeing.subscribe(binding, token=sign(role="service_role"))
        await db.execute(f"insert into {owned} values (1, %s), (2, %s)", [OTHER, ANON])
        assert (await mine.change())["record"]["id"] == 2
        assert [(await all_seeing.change())["record"]["id"] for _ in range(2)] == [1, 2]


async def test_a_new_token_changes_what_is_seen(client, sign, db, owned):
    """After an access_token push the ready message comes again and the new claims count."""
    await client.subscribe({"event": "INSERT", "schema": "public", "table": owned}, token=sign(sub=ANON))
    await client.send("access_token", {"access_token": sign(sub=OTHER)})
    event, payload, _ = await client.receive()
    assert (event, payload["message"]) == ("system", "Subscribed to PostgreSQL")
    await db.execute(f"insert into {owned} values (1, %s), (2, %s)", [ANON, OTHER])
    assert (await client.change())["record"]["id"] == 2


async def test_columns_need_privileges(client, db, table):
    """A column that the role may not select is missing from columns and record."""
    await db.execute(f"revoke select on {table} from anon")
    await db.execute(f"grant select (id) on {table} to anon")
    await client.subscribe({"event": "*", "schema": "public", "table": table})
    await db.execute(f"insert into {table} values (1, null, 'secret')")
    data = await client.change()
    assert (data["columns"], data["record"]) == ([{"name": "id", "type": "int4"}], {"id": 1})


async def test_a_revoked_privilege_counts_at_once(client, db, table):
    """The change after a REVOKE is withheld."""
    await client.subscribe({"event": "*", "schema": "public", "table": table})
    await db.execute(f"insert into {table} values (1)")
    assert (await client.change())["errors"] is None
    await db.execute(f"revoke select on {table} from anon")
    await db.execute(f"insert into {table} values (2)")
    assert (await client.change())["errors"] == ["Error 401: Unauthorized"]


async def test_a_table_published_later_is_not_subscribed_to_yet(client, bare_stack):
    """A schema subscription means the tables of that moment, as the real server looks again only once a minute."""
    async with await psycopg.AsyncConnection.connect(bare_stack.db_url, autocommit=True) as owner:
        await owner.execute("create table late (id int primary key)")
        await owner.execute("create table early (id int primary key)")
        await owner.execute("alter publication supabase_realtime add table early")
        await client.subscribe({"event": "INSERT", "schema": "public"})
        await owner.execute("alter publication supabase_realtime add table late")
        await owner.execute("insert into late values (1)")
        await owner.execute("insert into early values (2)")
        change = await client.change()
        await owner.execute("drop table early, late")
    assert (change["table"], change["record"]) == ("early", {"id": 2})


async def test_a_publications_columns_and_filter_are_ignored(client, db, table):
    """The real server's log reader knows neither, so the whole row comes."""
    await db.execute(f"alter publication supabase_realtime drop table {table}")
    await db.execute(f"alter publication supabase_realtime add table {table} (id) where (id < 0)")
    await client.subscribe({"event": "INSERT", "schema": "public", "table": table})
    await db.execute(f"insert into {table} values (1, null, 'tea')")
    assert (await client.change())["record"] == {"id": 1, "owner": None, "body": "tea"}


async def test_an_unknown_table_is_told_later(client):
    """The join is answered ok; the system message says what cannot be served."""
    reply = await client.join({"event": "*", "schema": "public", "table": "nowhere"})
    _, payload, _ = await client.receive()
    assert (reply["status"], payload["status"]) == ("ok", "error")
    assert "[event: *, schema: public, table: nowhere, filters: [], select: nil]" in payload["message"]


async def test_leaving_ends_delivery(client, db, table):
    """A leave is answered, the channel closed, and nothing comes after."""
    await client.subscribe({"event": "*", "schema": "public", "table": table})
    ref = await client.send("phx_leave", {})
    assert await client.receive() == ("phx_reply", {"status": "ok", "response": {}}, ref)
    assert await client.receive() == ("phx_close", {}, None)
    await db.execute(f"insert into {table} values (1)")
    ref = await client.send("heartbeat", {}, topic="phoenix")
    assert (await client.receive())[2] == ref


async def test_a_slow_subscriber_is_cut_off_and_stalls_nobody(connect, db, table):
    """A client that reads nothing loses its connection; the one beside it gets everything."""
    binding = {"event": "INSERT", "schema": "public", "table": table}
    async with connect() as slow, connect() as fast:
        await slow.subscribe(binding)
        transport = slow.socket._response.connection.transport
        transport.pause_reading()
        await fast.subscribe(binding)
        for number in range(30):
            await db.execute(f"insert into {table} values (%s, null, repeat('x', 900000))", [number])
            assert (await fast.change())["record"]["id"] == number
        transport.resume_reading()
        events = [event async for event in slow.events()]
    assert len(events) < 30


async def test_a_lost_stream_sends_clients_to_rejoin(connect, db, table):
    """When the replication connection dies sockets with subscriptions close with 1012; a new join works at once."""
    binding = {"event": "INSERT", "schema": "public", "table": table}
    async with connect() as client:
        await client.subscribe(binding)
        await db.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database()"
        )
        kind, code, _ = await client.receive()
        assert (kind, code) == (aiohttp.WSMsgType.CLOSE, 1012)
    async with connect() as client:
        await client.subscribe(binding)
        await db.execute(f"insert into {table} values (1)")
        assert (await client.change())["record"]["id"] == 1


async def test_an_oversized_row_is_measured_as_json(client, db, table):
    """Escapes count, and of what is short enough the JSON null stays while the SQL null goes."""
    await db.execute(f"alter table {table} add empty text, add nothing jsonb")
    await client.subscribe({"event": "INSERT", "schema": "public", "table": table})
    await db.execute(f"insert into {table} values (1, null, repeat(e'\\n', 600000), null, 'null')")
    change = await client.change()
    assert (change["errors"], change["record"]) == (["Error 413: Payload Too Large"], {"id": 1, "nothing": None})


async def test_a_value_with_a_zero_byte_is_refused_as_the_database_would(client, table):
    """PostgreSQL has no such text; the message is its own."""
    await client.join({"event": "*", "schema": "public", "table": table, "filter": "body=match.\x00"})
    _, payload, _ = await client.receive()
    assert payload["message"].endswith(
        'Exception: ERROR 22021 (character_not_in_repertoire) invalid byte sequence for encoding "UTF8": 0x00'
    )


async def test_a_policy_reads_claims_as_jsonb_writes_them(client, sign, db, table):
    """Short keys come first, and letters stand for themselves."""
    await db.execute(f"alter table {table} enable row level security")
    claims = 'current_setting(\'request.jwt.claims\') like \'{%"sub": "é", "role"%}\''
    await db.execute(f"create policy claims on {table} for select using ({claims})")
    await client.subscribe({"event": "*", "schema": "public", "table": table}, token=sign(sub="é"))
    await db.execute(f"insert into {table} values (1)")
    assert (await client.change())["record"]["id"] == 1


async def test_a_role_matters_only_where_a_table_is_found(client, sign):
    """A binding that selects no table is refused for that, even to a role that does not exist."""
    await client.join({"event": "*", "schema": "public", "table": "nowhere"}, token=sign(role="nobody"))
    _, payload, _ = await client.receive()
    assert payload["message"].startswith(
        "Unable to subscribe to changes with given parameters. Please check Realtime is enabled"
    )


async def test_a_deferrable_primary_key_is_none(client, db):
    """The log knows no key that may be violated for a while."""
    await db.execute("create table deferred (id int primary key deferrable)")
    try:
        await db.execute("grant all on deferred to anon")
        await db.execute("alter table deferred replica identity full")
        await db.execute("alter publication supabase_realtime add table deferred")
        await client.subscribe({"event": "*", "schema": "public", "table": "deferred"})
        await db.execute("insert into deferred values (1)")
        assert (await client.change())["errors"] == ["Error 400: Bad Request, no primary key"]
    finally:
        await db.execute("drop table deferred")


async def test_a_table_and_its_heirs_are_published_together(client, db):
    """Publishing a table publishes those that inherit from it, each under its own name."""
    await db.execute("create table elders (id int primary key)")
    try:
        await db.execute("create table heirs (primary key (id)) inherits (elders)")
        await db.execute("grant all on elders, heirs to anon")
        await db.execute("alter publication supabase_realtime add table elders")
        await client.subscribe({"event": "*", "schema": "public", "table": "heirs"})
        await db.execute("insert into heirs values (1)")
        assert (await client.change())["table"] == "heirs"
    finally:
        await db.execute("drop table elders cascade")
