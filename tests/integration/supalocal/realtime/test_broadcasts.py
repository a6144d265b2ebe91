"""Broadcasts between sockets, from REST and from the database."""

import io
import json
from uuid import UUID

import aiohttp
import psycopg
import pytest

PING = {"type": "broadcast", "event": "ping", "payload": {"n": 1}}


@pytest.fixture
async def rest(bare_stack):
    """Posts to the broadcast endpoints with the publishable key."""
    async with aiohttp.ClientSession(headers={"apikey": bare_stack.publishable_key}) as session:

        async def post(path="", **content):
            answer = await session.post(f"{bare_stack.url}/realtime/v1/api/broadcast{path}", **content)
            return answer.status, await answer.text()

        yield post


async def test_broadcasts_reach_the_others(connect):
    """The sender gets its own only if it asked; an acknowledgement follows if it asked for that."""
    async with connect() as sender, connect("2.0.0") as receiver:
        await sender.join(broadcast={"ack": True, "self": False})
        await receiver.join()
        assert await sender.ask("broadcast", PING) == {"status": "ok", "response": {}}
        assert await receiver.receive() == ("broadcast", PING, None)


async def test_broadcasts_come_back_if_asked(client):
    """With self the sender is served too, and what it sent is not touched."""
    await client.join(broadcast={"self": True})
    payload = {"event": "ping", "payload": "text", "extra": [1]}
    await client.send("broadcast", payload)
    assert await client.receive() == ("broadcast", payload, None)


async def test_topics_are_rooms_of_their_own(connect):
    """What is sent in one room is not heard in another."""
    async with connect() as sender, connect() as other:
        await sender.join(broadcast={"ack": True})
        await other.join(topic="realtime:elsewhere")
        await sender.ask("broadcast", PING)
        assert await other.hears_nothing()


async def test_a_binary_push_reaches_both_framings(connect):
    """A kind 3 frame arrives as kind 4 at 2.0.0, byte for byte, and as an object at 1.0.0."""
    async with connect("2.0.0") as sender, connect("2.0.0") as arrays, connect() as objects:
        for client in (sender, arrays, objects):
            await client.join(broadcast={"ack": True})
        await sender.socket.send_bytes(bytes([3, 1, 1, 13, 4, 0, 1]) + b"19realtime:roomping" + b'{"n": 1.50}')
        assert await sender.receive() == ("phx_reply", {"status": "ok", "response": {}}, "9")
        assert (await arrays.receive())[1] == bytes([4, 13, 4, 0, 1]) + b"realtime:roomping" + b'{"n": 1.50}'
        assert (await objects.receive())[1] == {"type": "broadcast", "event": "ping", "payload": {"n": 1.5}}


async def test_raw_bytes_reach_2_0_0_only(connect):
    """1.0.0 cannot carry them and hears nothing."""
    async with connect("2.0.0") as sender, connect("2.0.0") as arrays, connect() as objects:
        for client in (sender, arrays, objects):
            await client.join(broadcast={"ack": True})
        await sender.socket.send_bytes(bytes([3, 1, 1, 13, 4, 0, 0]) + b"19realtime:roomping\xff\x00")
        await sender.receive()
        assert (await arrays.receive())[1] == bytes([4, 13, 4, 0, 0]) + b"realtime:roomping\xff\x00"
        assert await objects.hears_nothing()


async def test_a_push_that_is_too_large_is_dropped(connect):
    """An acknowledgement would say so; the room hears nothing."""
    async with connect() as sender, connect() as receiver:
        await sender.join(broadcast={"ack": True})
        await receiver.join()
        reply = await sender.ask("broadcast", {**PING, "payload": {"x": "x" * 3_000_500}})
        assert reply == {"status": "error", "response": "payload_size_exceeded"}
        assert await receiver.hears_nothing()


async def test_rest_broadcasts_reach_everyone(client, rest):
    """The batch endpoint answers 202 and the room gets its messages."""
    await client.join()
    assert await rest(json={"messages": [{"topic": "room", "event": "ping", "payload": {"n": 1}}]}) == (202, "")
    assert await client.receive() == ("broadcast", PING, None)


async def test_a_rest_broadcast_may_be_one_message(connect, rest):
    """The path names the room and the event, percent-encoded, and the body is the payload."""
    async with connect() as client:
        await client.join(topic="realtime:a/b c")
        assert await rest("/a%2Fb%20c/events/ping", json={"n": 1}) == (202, "")
        assert await client.receive() == ("broadcast", PING, None)


async def test_a_rest_broadcast_may_be_bytes(connect, rest):
    """An octet stream arrives as it is, at 2.0.0."""
    async with connect("2.0.0") as client:
        await client.join()
        headers = {"Content-Type": "application/octet-stream"}
        assert await rest("/room/events/ping", data=b"\xff\x00", headers=headers) == (202, "")
        assert (await client.receive())[1] == bytes([4, 13, 4, 0, 0]) + b"realtime:roomping\xff\x00"


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("", {"json": {}}, 422),
        ("", {"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ("/room/events/ping", {"data": "x", "headers": {"Content-Type": "text/plain"}}, 415),
        ("/room/events/ping", {"data": '"\\ud800"', "headers": {"Content-Type": "application/json"}}, 400),
        ("", {"json": {}, "headers": {"Authorization": "Bearer x.y.z"}}, 401),
    ],
)
async def test_a_bad_rest_broadcast_is_refused(rest, path, content, status):
    """Nothing is sent of it, and the status says what it is."""
    assert (await rest(path, **content))[0] == status


async def test_a_rest_broadcast_that_is_too_large_is_refused(rest):
    """More than 3000 kB are not sent."""
    body, headers = io.BytesIO(b'{"x":"' + b"x" * 3_000_500 + b'"}'), {"Content-Type": "application/json"}
    answer = await rest("/room/events/ping", data=body, headers=headers)
    assert answer == (422, '{"errors": {"payload": ["Payload size exceeds tenant limit"]}}')


async def test_the_database_broadcasts(connect, db, vsn):
    """realtime.send reaches the room after the commit, with the message's id in payload and meta."""
    async with connect(vsn) as client:
        await client.join()
        await db.execute("""select realtime.send('{"n": 1}', 'ping', 'room', false)""")
        _, received, _ = await client.receive()
    if vsn == "2.0.0":
        topic, event, meta, _ = received[1:5]
        head, rest = received[5 : 5 + topic + event], received[5 + topic + event :]
        assert (received[0], head) == (4, b"realtime:roomping")
        payload, about = json.loads(rest[meta:]), json.loads(rest[:meta])
    else:
        payload, about = received["payload"], received["meta"]
        assert (received["type"], received["event"]) == ("broadcast", "ping")
    assert UUID(about["id"])
    assert (payload, about) == ({"n": 1, "id": about["id"]}, {"id": about["id"]})


async def test_the_database_keeps_a_payloads_own_id(client, db):
    """Only what has no id gets one."""
    await client.join()
    await db.execute("""select realtime.send('{"id": 7}', 'ping', 'room', false)""")
    assert (await client.receive())[1]["payload"] == {"id": 7}


async def test_what_is_rolled_back_is_not_broadcast(client, db):
    """A message belongs to its transaction, and messages come in the order of the commits."""
    await client.join()
    async with db.transaction(force_rollback=True):
        await db.execute("""select realtime.send('{"id": 1}', 'ping', 'room', false)""")
    async with db.transaction():
        for number in (2, 3):
            await db.execute("select realtime.send(jsonb_build_object('id', %s::int), 'ping', 'room', false)", [number])
    assert [(await client.receive())[1]["payload"] for _ in range(2)] == [{"id": 2}, {"id": 3}]


async def test_the_database_broadcasts_bytes(connect, db):
    """realtime.send_binary reaches 2.0.0."""
    async with connect("2.0.0") as client:
        await client.join()
        await db.execute(r"select realtime.send_binary('\x00ff', 'ping', 'room', false)")
        received = (await client.receive())[1]
    assert (received[4], received[-2:]) == (0, b"\x00\xff")


async def test_a_failing_send_only_warns(db):
    """The transaction that sends is not harmed by it."""
    warnings = []
    db.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
    await db.execute("select realtime.send('5', 'ping', 'room', false)")
    assert warnings == ["WarnSendingBroadcastMessage: cannot set path in scalar"]


async def test_a_trigger_broadcasts_changes(connect, db, table, sign, bare_stack):
    """realtime.broadcast_changes sends both records to a private room; its owner need be no superuser."""
    async with await psycopg.AsyncConnection.connect(bare_stack.db_url, autocommit=True) as owner:
        await owner.execute("""
            create function tell() returns trigger language plpgsql security definer as $$ begin
              perform realtime.broadcast_changes('room', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
              return null;
            end $$""")
    await db.execute(f"create trigger told after insert or update on {table} for each row execute function tell()")
    async with connect() as client:
        await client.join(token=sign(role="service_role"), private=True)
        await db.execute(f"insert into {table} (id) values (1)")
        _, received, _ = await client.receive()
    await db.execute("drop function tell cascade")
    payload = received["payload"]
    assert (received["event"], payload.pop("id")) == ("INSERT", received["meta"]["id"])
    assert payload == {
        "operation": "INSERT",
        "schema": "public",
        "table": table,
        "record": {"id": 1, "owner": None, "body": None},
        "old_record": None,
    }


async def test_a_client_is_told_that_the_database_can_broadcast(client):
    """With replication_ready a system message says so after the join."""
    await client.join(broadcast={"replication_ready": True})
    event, payload, _ = await client.receive()
    assert (event, payload) == (
        "system",
        {
            "extension": "system",
            "status": "ok",
            "message": "Replication connection established",
            "channel": "room",
        },
    )


async def test_past_messages_are_replayed(connect, db, sign):
    """A private channel gets the newest it asks for, oldest first, marked as replayed."""
    for number in range(3):
        await db.execute("select realtime.send(jsonb_build_object('id', %s::int), 'ping', 'past')", [number])
    async with connect() as client:
        reply = await client.join(
            topic="realtime:past",
            token=sign(role="service_role"),
            private=True,
            broadcast={"replay": {"since": 0, "limit": 2}},
        )
        assert reply["status"] == "ok"
        received = [(await client.receive())[1] for _ in range(2)]
    assert [(one["payload"], one["meta"]["replayed"]) for one in received] == [({"id": 1}, True), ({"id": 2}, True)]


@pytest.mark.parametrize(
    ("private", "replay", "reason"),
    [
        (False, {"since": 0}, "UnableToReplayMessages: Replay is not allowed for public channels"),
        (True, {"since": "x"}, "UnableToReplayMessages: Replay params are not valid"),
    ],
)
async def test_a_replay_may_be_refused(client, sign, private, replay, reason):
    """The join fails with the reason."""
    token = sign(role="service_role")
    reply = await client.join(token=token, private=private, broadcast={"replay": replay})
    assert reply == {"status": "error", "response": {"reason": reason}}


async def test_open_transactions_hold_up_no_partitions(bare_stack, db):
    """While one that has sent is open, partitions are left for later, with a warning."""
    warnings = []
    db.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
    await db.execute("drop table realtime." + (await days_ahead(db, 3)))
    async with await psycopg.AsyncConnection.connect(bare_stack.db_url) as sender:
        await sender.execute("""select realtime.send('{}', 'ping', 'elsewhere', false)""")
        await db.execute("select realtime.renew_message_partitions()")
    assert warnings == ["realtime.messages is in use: its partitions are renewed later"]
    await db.execute("select realtime.renew_message_partitions()")
    await db.execute("select from realtime." + (await days_ahead(db, 3)))


async def days_ahead(db, days):
    """The name of a day's partition."""
    name = "select to_char(timezone('utc', now()) + make_interval(days => %s), '\"messages_\"YYYY_MM_DD')"
    return (await (await db.execute(name, [days])).fetchone())[0]


async def test_messages_live_for_three_days(db):
    """Partitions older than that are dropped, and those of the next days are there before they are needed."""
    await db.execute("create table realtime.messages_2001_01_01 partition of realtime.messages "
                     "for values from ('2001-01-01') to ('2001-01-02')")  # fmt: skip
    await db.execute("select realtime.renew_message_partitions()")
    days = await (
        await db.execute("""
        select array_agg(to_date(substr(relname, 10), 'YYYY_MM_DD') - timezone('utc', now())::date order by 1)
        from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'realtime.messages'::regclass""")
    ).fetchone()
    assert sorted(days[0]) == [-1, 0, 1, 2, 3]
