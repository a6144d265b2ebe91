"""Realtime through the whole stack, frame by frame."""

import asyncio
import json
import time
from contextlib import asynccontextmanager
from itertools import count

import aiohttp
import jwt
import psycopg
import pytest

ANON, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
_tables = count()


class Client:
    """A socket that keeps apart what it is sent."""

    def __init__(self, socket, vsn):
        self._socket, self._vsn = socket, vsn
        self.refs = count(1)

    async def send(self, event, payload, topic="realtime:room", ref=None, join_ref=None):
        ref = ref or str(next(self.refs))
        if self._vsn == "1.0.0":
            await self._socket.send_json(
                {"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": join_ref}
            )
        else:
            await self._socket.send_json([join_ref, ref, topic, event, payload])
        return ref

    async def receive(self):
        """The next frame as (event, payload, ref)."""
        message = await self._socket.receive(timeout=10)
        if message.type is not aiohttp.WSMsgType.TEXT:
            return message.type, message.data, None
        frame = json.loads(message.data)
        if self._vsn == "1.0.0":
            return frame["event"], frame["payload"], frame["ref"]
        _, ref, _, event, payload = frame
        return event, payload, ref

    async def join(self, *bindings, topic="realtime:room", token=None, **config):
        payload = {"config": {"postgres_changes": list(bindings), **config}}
        ref = await self.send("phx_join", payload | ({"access_token": token} if token else {}), topic)
        event, reply, answered = await self.receive()
        assert (event, answered) == ("phx_reply", ref)
        return reply

    async def subscribe(self, *bindings, token=None):
        """Join and wait until changes are promised."""
        reply = await self.join(*bindings, token=token)
        event, payload, _ = await self.receive()
        assert (event, payload["message"]) == ("system", "Subscribed to PostgreSQL")
        return [binding["id"] for binding in reply["response"]["postgres_changes"]]

    async def events(self):
        """The events until the connection ends."""
        while isinstance((event := (await self.receive())[0]), str):
            yield event

    async def change(self):
        """The next change's data."""
        event, payload, _ = await self.receive()
        assert event == "postgres_changes"
        return payload["data"]


@pytest.fixture(params=["1.0.0", "2.0.0"])
def vsn(request):
    return request.param


@pytest.fixture
def connect(bare_stack):
    """Opens sockets."""

    @asynccontextmanager
    async def open_socket(vsn="1.0.0", apikey=None):
        url = f"{bare_stack.url}/realtime/v1/websocket"
        params = {"apikey": apikey or bare_stack.publishable_key, "vsn": vsn}
        async with aiohttp.ClientSession() as session, session.ws_connect(url, params=params) as socket:
            yield Client(socket, vsn)

    return open_socket


@pytest.fixture
async def client(connect):
    async with connect() as opened:
        yield opened


@pytest.fixture
def sign(bare_stack):
    """Signs tokens as the project does."""

    def signed(**claims):
        return jwt.encode({"role": "authenticated", "exp": time.time() + 60, **claims}, bare_stack.keys.jwt_secret)

    return signed


@pytest.fixture
async def db(bare_stack):
    """The database as a superuser."""
    async with await psycopg.AsyncConnection.connect(bare_stack.admin_db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def table(db):
    """A published table of the test's own, open to every role."""
    name = f"realtime_{next(_tables)}"
    await db.execute(f"create table {name} (id int primary key, owner uuid, body text)")
    await db.execute(f"grant all on {name} to anon, authenticated, service_role")
    await db.execute(f"alter publication supabase_realtime add table {name}")
    yield name
    await db.execute(f"drop table {name}")


@pytest.fixture
async def owned(db, table):
    """The table with row level security: everybody sees rows of their own."""
    await db.execute(f"alter table {table} enable row level security")
    await db.execute(f"create policy own on {table} for select to authenticated using (auth.uid() = owner)")
    return table


async def test_heartbeats_are_answered(connect, vsn):
    """A heartbeat is answered with its ref."""
    async with connect(vsn) as client:
        await client.send("heartbeat", {}, topic="phoenix", ref="7")
        assert await client.receive() == ("phx_reply", {"status": "ok", "response": {}}, "7")


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


async def test_a_second_join_replaces_the_first(client):
    """The new reply comes first, then the old channel's close with the old join's ref."""
    await client.send("phx_join", {}, ref="1", join_ref="1")
    await client.send("phx_join", {}, ref="2", join_ref="2")
    frames = [await client.receive() for _ in range(3)]
    assert [(event, ref) for event, _, ref in frames] == [("phx_reply", "1"), ("phx_reply", "2"), ("phx_close", "1")]


@pytest.mark.parametrize(
    ("topic", "event", "status", "response"),
    [
        ("other:room", "phx_join", "error", {"reason": "unmatched topic"}),
        ("realtime:", "phx_join", "error", {"reason": "TopicNameRequired: You must provide a topic name"}),
        ("realtime:unjoined", "broadcast", "error", {"reason": "unmatched topic"}),
        ("realtime:unjoined", "phx_leave", "ok", {}),
    ],
)
async def test_topics_that_are_not_joined(client, topic, event, status, response):
    """Each is answered as the real server does."""
    await client.send(event, {}, topic)
    assert (await client.receive())[1] == {"status": status, "response": response}


async def test_an_expired_channel_is_closed(client, sign):
    """At the token's end the channel is told why and closed; the socket stays."""
    await client.join(token=sign(exp=time.time() + 0.2))
    event, payload, _ = await client.receive()
    assert (event, payload["message"]) == ("system", "Token has expired 0 seconds ago")
    assert (await client.receive())[0] == "phx_close"
    await client.send("heartbeat", {}, topic="phoenix")
    assert (await client.receive())[0] == "phx_reply"


async def test_a_bad_token_is_refused_at_the_join(client):
    """The reply names the defect."""
    reply = await client.join(token="x.y.z")
    assert reply["response"] == {"reason": "MalformedJWT: The token provided is not a valid JWT"}


async def test_malformed_frames_are_ignored(client):
    """The connection outlives what is no frame."""
    await client._socket.send_str("{")
    await client.send("heartbeat", {}, topic="phoenix")
    assert (await client.receive())[0] == "phx_reply"


@pytest.mark.parametrize(("vsn", "status"), [("1.0.0", 401), ("3.0.0", 403)])
async def test_a_handshake_is_refused_with_a_reason(bare_stack, vsn, status):
    """A missing key is told in JSON, an unknown version by the status alone."""
    async with aiohttp.ClientSession() as session:
        answer = await session.get(f"{bare_stack.url}/realtime/v1/websocket", params={"vsn": vsn})
        expected = '{"error": "API key is missing"}' if status == 401 else ""
        assert (answer.status, await answer.text()) == (status, expected)


async def test_broadcasts_reach_the_others(connect):
    """The sender gets its own only if it asked; an acknowledgement follows if it asked for that."""
    async with connect() as sender, connect("2.0.0") as receiver:
        await sender.join(broadcast={"ack": True, "self": False})
        await receiver.join()
        payload = {"type": "broadcast", "event": "ping", "payload": {"n": 1}}
        ref = await sender.send("broadcast", payload)
        assert await sender.receive() == ("phx_reply", {"status": "ok", "response": {}}, ref)
        assert await receiver.receive() == ("broadcast", payload, None)


async def test_broadcasts_come_back_if_asked(client):
    """With self the sender is served too."""
    await client.join(broadcast={"self": True})
    payload = {"type": "broadcast", "event": "ping", "payload": {}}
    await client.send("broadcast", payload)
    assert await client.receive() == ("broadcast", payload, None)


async def test_rest_broadcasts_reach_everyone(client, bare_stack):
    """The batch endpoint answers 202 and the room gets its messages."""
    await client.join()
    async with aiohttp.ClientSession(headers={"apikey": bare_stack.publishable_key}) as session:
        body = {"messages": [{"topic": "room", "event": "ping", "payload": {"n": 1}}]}
        answer = await session.post(f"{bare_stack.url}/realtime/v1/api/broadcast", json=body)
        assert (answer.status, await answer.text()) == (202, "")
    assert await client.receive() == ("broadcast", {"type": "broadcast", "event": "ping", "payload": {"n": 1}}, None)


async def test_a_slow_subscriber_is_cut_off_and_stalls_nobody(connect, db, table):
    """A client that reads nothing loses its connection; the one beside it gets everything."""
    binding = {"event": "INSERT", "schema": "public", "table": table}
    async with connect() as slow, connect() as fast:
        await slow.subscribe(binding)
        transport = slow._socket._response.connection.transport
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


async def test_a_failing_policy_loses_only_its_own_changes(client, db, table):
    """What a policy's error takes away, as on the real server, is the batch: the next change arrives."""
    await db.execute(f"alter table {table} enable row level security")
    await db.execute(f"create policy bad on {table} for select using (1 / id is not null)")
    await client.subscribe({"event": "INSERT", "schema": "public", "table": table})
    await db.execute(f"insert into {table} values (0)")
    arrived = asyncio.create_task(client.change())
    for number in range(1, 100):
        await db.execute(f"insert into {table} values (%s)", [number])
        done, _ = await asyncio.wait([arrived], timeout=0.1)
        if done:
            break
    assert (await arrived)["record"]["id"] >= 1
