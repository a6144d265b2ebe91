"""Calls, retries, deadlines and error mapping, against a real HTTP server on loopback that misbehaves on request."""

import asyncio
from collections import deque

import pytest
from aiohttp import web

from babelroom import (
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    PermissionDenied,
    SchemaMissing,
    SessionExpired,
    SessionNotFound,
    Settings,
    SupabaseError,
    Unavailable,
    deadline,
)
from babelroom.repositories._gateway import Gateway


class Server:
    """Answers from a script; the last answer stays. `lost` drops the connection after reading the request."""

    def __init__(self):
        self.script = deque()
        self.requests = 0
        self.tokens = []
        self.over = asyncio.Event()

    async def answer(self, request):
        self.requests += 1
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        await request.read()
        step = self.script.popleft() if len(self.script) > 1 else self.script[0]
        if step == "lost":
            request.transport.abort()
        if step in ("lost", "silent"):
            await self.over.wait()
            return web.Response()
        status, body = step
        return web.json_response(body, status=status)


@pytest.fixture
async def server():
    served = Server()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", served.answer)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    served.over.set()
    await runner.cleanup()


@pytest.fixture
async def gateway(server):
    opened = Gateway(Settings.load(url=server.url, key="sb_publishable_x"))
    yield opened
    await opened.close()


def numbers(data):
    if not isinstance(data, list):
        raise TypeError("this is no list")
    return data


async def run(gateway, *, idempotent=True):
    return await gateway.run("test", gateway.supabase.rpc("anything"), numbers, idempotent=idempotent)


def error(status, code=None, message="no"):
    return status, {"code": code, "message": message, "details": None, "hint": None}


async def test_passing_trouble_is_retried(server, gateway):
    """A lost answer, a 503 and a deadlock, then success: the caller sees the success alone."""
    server.script.extend(["lost", error(503), error(500, "40P01"), (200, [1])])
    assert await run(gateway) == [1]
    timing = gateway.timings.summary()["test"]
    assert (server.requests, timing.retries, timing.failures) == (4, 3, 0)


@pytest.mark.parametrize("step", ["lost", error(503)])
async def test_what_is_not_idempotent_is_sent_once(server, gateway, step):
    """It may have reached the server: sending again could double it."""
    server.script.extend([step, (200, [])])
    with pytest.raises((ConnectionFailed, Unavailable)):
        await run(gateway, idempotent=False)
    assert server.requests == 1


async def test_what_cannot_have_arrived_may_be_sent_again(unused_tcp_port):
    """A refused connection is retried until the deadline, idempotent or not; the error says it never arrived."""
    gateway = Gateway(Settings.load(url=f"http://127.0.0.1:{unused_tcp_port}", key="sb_publishable_x"))
    try:
        with deadline(1), pytest.raises(ConnectionFailed) as caught:
            await run(gateway, idempotent=False)
        assert not caught.value.may_have_arrived
        assert gateway.timings.summary()["test"].retries > 0
    finally:
        await gateway.close()


async def test_a_refusal_is_not_retried(server, gateway):
    """Only passing trouble is."""
    server.script.append(error(409, "PT409", "No free session code"))
    with pytest.raises(Conflict, match="No free session code") as caught:
        await run(gateway)
    assert (server.requests, caught.value.code, caught.value.status) == (1, "PT409", 409)


EXPIRED = error(401, "PGRST303", "JWT expired")


def signed_in(token):
    """Auth's answer to a sign-in or a refresh."""
    user = {"id": "1", "aud": "authenticated", "app_metadata": {}, "user_metadata": {}, "created_at": "2026-01-01"}
    session = {"access_token": token, "refresh_token": "r", "expires_in": 3600, "token_type": "bearer", "user": user}
    return 200, session


@pytest.mark.parametrize("idempotent", [True, False])
async def test_an_expired_token_is_replaced(server, gateway, idempotent):
    """Nothing was done: whatever it is, it is sent again by the new token, and the caller sees the success alone."""
    server.script.extend([signed_in("old"), EXPIRED, signed_in("new"), (200, [1])])
    await gateway.supabase.auth.sign_in_anonymously()
    assert await run(gateway, idempotent=idempotent) == [1]
    assert (server.requests, server.tokens[1], server.tokens[3]) == (4, "old", "new")


async def test_an_expired_token_is_replaced_once_for_all(server, gateway):
    """Three calls meet it, and Auth is asked once."""
    server.script.extend([signed_in("old"), EXPIRED, EXPIRED, EXPIRED, signed_in("new"), (200, [1])])
    await gateway.supabase.auth.sign_in_anonymously()
    assert await asyncio.gather(*(run(gateway) for _ in range(3))) == [[1], [1], [1]]
    assert server.requests == 1 + 3 + 1 + 3


async def test_a_token_that_cannot_be_replaced_is_told(server, gateway):
    """By the error that the caller's request met, not Auth's."""
    server.script.extend([signed_in("old"), EXPIRED, error(400, "refresh_token_not_found")])
    await gateway.supabase.auth.sign_in_anonymously()
    with pytest.raises(PermissionDenied, match="JWT expired"):
        await run(gateway)
    assert server.requests == 3


async def test_a_key_that_has_expired_is_told(server, gateway):
    """Without a user there is no other token."""
    server.script.append(EXPIRED)
    with pytest.raises(PermissionDenied, match="JWT expired"):
        await run(gateway)
    assert server.requests == 1


async def test_closing_ends_the_refresh_of_the_token(server):
    """Its task would sleep for an hour, and then use a closed client."""
    before = asyncio.all_tasks()
    server.script.append(signed_in("token"))
    gateway = Gateway(Settings.load(url=server.url, key="sb_publishable_x"))
    await gateway.supabase.auth.sign_in_anonymously()
    sleeping = asyncio.all_tasks() - before
    await gateway.close()
    assert sleeping
    await asyncio.wait(sleeping, timeout=5)
    assert [task for task in sleeping if not task.done()] == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(404, "PT404"), SessionNotFound),
        (error(410, "PT410"), SessionExpired),
        (error(409, "23505"), Conflict),
        (error(401, "42501"), PermissionDenied),
        (error(401, None), PermissionDenied),
        (error(404, "PGRST205"), SchemaMissing),
        (error(404, "PGRST202"), SchemaMissing),
        (error(404, "42P01"), SchemaMissing),
        (error(400, "22P02"), SupabaseError),
        (error(500, "57014"), SupabaseError),
        ((418, "teapot"), SupabaseError),
    ],
)
async def test_each_refusal_has_its_type(server, gateway, answer, kind):
    """By SQLSTATE or PostgREST code, else by HTTP status; a body that is no error object does not matter."""
    server.script.append(answer)
    with pytest.raises(SupabaseError) as caught:
        await run(gateway)
    assert type(caught.value) is kind
    assert caught.value.status == answer[0]


async def test_an_answer_that_is_not_supabases_is_an_error_of_ours(server, gateway):
    """Some proxy's login page with status 200, say."""
    server.script.append((200, "<html>please log in</html>"))
    with pytest.raises(SupabaseError, match="no list"):
        await run(gateway)


async def test_the_tighter_of_two_deadlines_holds(server, gateway):
    """A block inside another cannot wait longer."""
    server.script.append("silent")
    with deadline(0.2), deadline(5), pytest.raises(DeadlineExceeded, match=r"0\.2 s"):
        await run(gateway)


async def test_silence_ends_at_the_deadline(server, gateway):
    """A call never hangs; `with deadline(...)` sets its seconds."""
    server.script.append("silent")
    with deadline(0.2), pytest.raises(DeadlineExceeded, match=r"test, 0\.2 s"):
        await run(gateway)


async def test_lasting_trouble_is_told_at_the_deadline(server, gateway):
    """The reason, not just that time is up."""
    server.script.append(error(503, None, "upstream is down"))
    with deadline(1), pytest.raises(Unavailable, match="upstream is down"):
        await run(gateway)
    assert server.requests > 1


async def broadcast(gateway):
    await gateway.broadcast("test", "topic", "event", {"n": 1})


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
async def test_a_broadcast_carries_what_a_query_carries(server, transport):
    """The user's token, or else the key."""
    gateway = Gateway(Settings(supabase_url=server.url, supabase_key="sb_publishable_x", transport=transport))
    server.script.extend([(202, None), signed_in("a token"), (202, None)])
    try:
        await broadcast(gateway)
        await gateway.supabase.auth.sign_in_anonymously()
        await broadcast(gateway)
    finally:
        await gateway.close()
    assert (server.tokens[0], server.tokens[2]) == ("sb_publishable_x", "a token")


@pytest.mark.parametrize("step", ["lost", error(503)])
async def test_a_broadcast_is_sent_once(server, gateway, step):
    """What it says is old when it could be sent again."""
    server.script.extend([step, (202, None)])
    with pytest.raises((ConnectionFailed, Unavailable)):
        await broadcast(gateway)
    assert server.requests == 1


async def test_a_broadcast_that_cannot_have_arrived_is_not_sent_again(unused_tcp_port):
    """The same holds."""
    gateway = Gateway(Settings.load(url=f"http://127.0.0.1:{unused_tcp_port}", key="sb_publishable_x"))
    try:
        with pytest.raises(ConnectionFailed):
            await broadcast(gateway)
        assert gateway.timings.summary()["test"].retries == 0
    finally:
        await gateway.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((401, {"message": "Unauthorized"}), PermissionDenied),
        ((422, {"errors": {"messages": ["can't be blank"]}}), SupabaseError),
        ((429, {"message": "Too many requests"}), Unavailable),
    ],
)
async def test_a_refused_broadcast_has_its_type(server, gateway, answer, kind):
    """By HTTP status, with the server's own words."""
    server.script.append(answer)
    with pytest.raises(SupabaseError, match=r"Unauthorized|can't be blank|Too many requests") as caught:
        await broadcast(gateway)
    assert (type(caught.value), caught.value.status) == (kind, answer[0])


async def test_a_broadcast_keeps_the_deadline(server, gateway):
    """As any call does."""
    server.script.append("silent")
    with deadline(0.2), pytest.raises(DeadlineExceeded, match=r"test, 0\.2 s"):
        await broadcast(gateway)
