"""Private channels: what policies on realtime.messages allow."""

import time

import aiohttp
import psycopg
import pytest

PING = {"type": "broadcast", "event": "ping", "payload": {"n": 1}}
ALLOWED = {"status": "ok", "response": {"postgres_changes": []}}
DENIED = {
    "status": "error",
    "response": {"reason": "Unauthorized: You do not have permissions to read from this Channel topic: room"},
}


@pytest.fixture
async def allow(bare_stack):
    """Makes policies as a migration does, for one test."""
    made = []
    async with await psycopg.AsyncConnection.connect(bare_stack.db_url, autocommit=True) as owner:

        async def make(command, condition, role="authenticated"):
            name = f"allow_{len(made)}"
            check = "with check" if command == "insert" else "using"
            made.append(name)
            await owner.execute(
                f"create policy {name} on realtime.messages for {command} to {role} {check} ({condition})"
            )

        yield make
        for name in made:
            await owner.execute(f"drop policy {name} on realtime.messages")


@pytest.fixture
def join(sign):
    """Joins the private room `room` as a user."""

    async def joined(client, token=None, **config):
        return await client.join(token=token or sign(), private=True, **config)

    return joined


async def test_nobody_may_without_a_policy(client, join):
    """A private channel is closed until a policy opens it."""
    assert await join(client) == DENIED


async def test_a_policy_lets_a_role_read(connect, join, allow, vsn):
    """Who may select a message of the topic may join; the topic's function and column hold its name."""
    await allow("select", "realtime.topic() = 'room' and topic = 'room' and extension = 'broadcast'")
    async with connect(vsn) as client:
        assert await join(client) == ALLOWED
    async with connect(vsn) as client:
        assert (await client.join(private=True)) == DENIED


async def test_the_secret_role_may_all(client, join, sign):
    """service_role passes over policies."""
    assert await join(client, sign(role="service_role")) == ALLOWED


async def test_policies_see_claims_and_headers(connect, join, allow, sign):
    """The claims of the token and the handshake's x- headers decide."""
    await allow("select", "auth.jwt() ->> 'team' = 'red'")
    await allow("select", "current_setting('request.headers')::json ->> 'x-team' = 'red'")
    async with connect() as client:
        assert await join(client, sign(team="blue")) == DENIED
        assert await join(client, sign(team="red")) == ALLOWED
    async with connect(**{"X-Team": "red"}) as client:
        assert await join(client) == ALLOWED


async def test_who_may_not_write_is_not_heard(connect, join, allow):
    """Without an insert policy a push is dropped without a word; with one it arrives."""
    await allow("select", "true")
    async with connect() as sender, connect() as receiver:
        await join(sender, broadcast={"ack": True})
        await join(receiver)
        await sender.send("broadcast", PING)
        assert await sender.hears_nothing()
        assert await receiver.hears_nothing()
    await allow("insert", "extension = 'broadcast'")
    async with connect() as sender, connect() as receiver:
        await join(sender, broadcast={"ack": True})
        await join(receiver)
        assert (await sender.ask("broadcast", PING))["status"] == "ok"
        assert await receiver.receive() == ("broadcast", PING, None)


async def test_writing_is_decided_once_for_a_token(connect, join, allow, sign):
    """What the first push was told holds until the next token."""
    await allow("select", "true")
    async with connect() as sender:
        await join(sender, broadcast={"ack": True})
        await sender.send("broadcast", PING)
        assert await sender.hears_nothing()
        await allow("insert", "true")
        await sender.send("broadcast", PING)
        assert await sender.hears_nothing()
        await sender.send("access_token", {"access_token": sign(exp=time.time() + 90)})
        assert (await sender.ask("broadcast", PING))["status"] == "ok"


async def test_public_and_private_are_rooms_apart(connect, join, sign):
    """One name, two rooms: neither hears the other."""
    async with connect() as public, connect() as private:
        await public.join(broadcast={"ack": True})
        await join(private, sign(role="service_role"), broadcast={"ack": True})
        await public.ask("broadcast", PING)
        await private.ask("broadcast", PING)
        assert await public.hears_nothing()
        assert await private.hears_nothing()


async def test_presence_and_broadcast_are_rights_apart(connect, join, allow, sign):
    """Who may read presence only gets no broadcasts, and the other way round."""
    await allow("select", "extension = auth.jwt() ->> 'may'")
    presence = {"enabled": True, "key": "me"}
    async with connect() as watcher, connect() as listener, connect() as boss:
        await join(watcher, sign(may="presence"), presence=presence)
        assert (await watcher.receive())[0] == "presence_state"
        await join(listener, sign(may="broadcast"), presence=presence)
        await join(boss, sign(role="service_role"), broadcast={"ack": True}, presence=presence)
        assert (await boss.receive())[0] == "presence_state"
        await boss.ask("broadcast", PING)
        await boss.ask("presence", {"event": "track", "payload": {}})
        assert await listener.receive() == ("broadcast", PING, None)
        assert await listener.hears_nothing()
        assert (await watcher.receive())[0] == "presence_diff"
        assert await watcher.hears_nothing()


async def test_tracking_needs_the_right_to_write(connect, join, allow, sign):
    """Without it the reply is an error."""
    await allow("select", "true")
    await allow("insert", "extension = 'presence' and auth.jwt() ->> 'may' = 'track'")
    async with connect() as client:
        await join(client)
        track = {"event": "track", "payload": {}}
        assert await client.ask("presence", track) == {"status": "error", "response": {}}
        await join(client, sign(may="track"))
        await client.receive()
        assert await client.ask("presence", track) == {"status": "ok", "response": {}}


async def test_a_new_token_is_judged_anew(client, join, allow, sign):
    """A token without the right to read closes the channel."""
    await allow("select", "auth.jwt() ->> 'team' = 'red'")
    await join(client, sign(team="red"))
    await client.send("access_token", {"access_token": sign(team="blue")})
    event, payload, _ = await client.receive()
    assert (event, payload["status"]) == ("system", "error")
    assert payload["message"] == "You do not have permissions to read from this Channel topic: room"
    assert (await client.receive())[0] == "phx_close"


async def test_losing_one_of_two_rights_closes_the_channel(client, join, allow, sign):
    """Whoever could read both and now reads one is told so."""
    await allow("select", "extension = any(string_to_array(auth.jwt() ->> 'may', ' '))")
    await join(client, sign(may="broadcast presence"), presence={"enabled": True})
    await client.receive()
    await client.send("access_token", {"access_token": sign(may="broadcast")})
    assert (await client.receive())[1]["message"] == (
        "You no longer have permission to read from this Channel topic: room"
    )


async def test_a_failing_policy_denies(client, join, allow):
    """An error in it counts as no; the next join is judged as if nothing had been."""
    await allow("select", "1 / (length(topic) - 4) > 0")
    assert await join(client) == DENIED
    assert await join(client, topic="realtime:lobby") == ALLOWED


async def test_a_failing_policy_is_asked_again(client, join, allow, db):
    """A push that it dropped says nothing of the next."""
    await allow("select", "true")
    await allow("insert", "1 / nullif(current_setting('app.divisor', true), '')::int > 0")
    await join(client, broadcast={"ack": True})
    name = (await (await db.execute("select current_database()")).fetchone())[0]
    await db.execute(f"alter database {name} set app.divisor = '0'")
    try:
        await reopened(db)
        await client.send("broadcast", PING)
        assert await client.hears_nothing()
        await db.execute(f"alter database {name} set app.divisor = '1'")
        await reopened(db)
        assert (await client.ask("broadcast", PING))["status"] == "ok"
    finally:
        await db.execute(f"alter database {name} reset app.divisor")


async def reopened(db):
    """Ends the connection that policies are asked over, as a restart of the server would: a new one is made."""
    of_policies = "application_name = 'supalocal realtime policies'"
    await db.execute(f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where {of_policies}")


async def test_an_unknown_role_is_denied(client, join, sign):
    """No policy can be asked for a role that does not exist."""
    assert await join(client, sign(role="nobody_knows")) == DENIED


async def test_the_tests_leave_nothing_behind(client, join, allow, db):
    """Neither the rows nor the settings of a test stay, and nobody hears of them."""
    await allow("select", "true")
    await allow("insert", "true")
    before = await (await db.execute("select count(*) from realtime.messages")).fetchone()
    await join(client, broadcast={"ack": True})
    await client.ask("broadcast", PING)
    assert await (await db.execute("select count(*) from realtime.messages")).fetchone() == before
    assert await client.hears_nothing()


async def test_a_private_rest_broadcast_needs_the_right(connect, join, allow, sign, bare_stack):
    """A batch drops what may not be sent, with 202; the single endpoint answers 403."""
    await allow("select", "true")
    await allow("insert", "auth.jwt() ->> 'may' = 'send'")
    url = f"{bare_stack.url}/realtime/v1/api/broadcast"
    batch = {"messages": [{"topic": "room", "event": "ping", "payload": {"n": 1}, "private": True}]}

    async def post(claims):
        headers = {"Authorization": f"Bearer {sign(**claims)}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            answers = [
                await session.post(url, json=batch),
                await session.post(f"{url}/room/events/ping", params={"private": "true"}, json={"n": 1}),
            ]
            return [(answer.status, await answer.text()) for answer in answers]

    async with connect() as client:
        await join(client)
        assert await post({}) == [(202, ""), (403, '{"message": "Unauthorized"}')]
        assert await client.hears_nothing()
        assert await post({"may": "send"}) == [(202, ""), (202, "")]
        assert [await client.receive() for _ in range(2)] == [("broadcast", PING, None)] * 2


async def test_a_send_by_a_client_needs_the_right(connect, join, allow, db):
    """realtime.send runs with its caller's rights: what a policy forbids is not sent."""
    await allow("select", "true")
    async with connect() as client:
        await join(client)
        async with db.transaction():
            await db.execute("set local role authenticated")
            await db.execute("""select realtime.send('{"id": 1}', 'ping', 'room')""")
        await allow("insert", "topic = 'room'")
        async with db.transaction():
            await db.execute("set local role authenticated")
            await db.execute("""select realtime.send('{"id": 2}', 'ping', 'room')""")
        assert (await client.receive())[1]["payload"] == {"id": 2}
