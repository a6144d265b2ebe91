"""Joining, leaving, tokens and framing."""

import time

import aiohttp
import jwt
import pytest


async def test_heartbeats_are_answered(connect, vsn):
    """A heartbeat is answered with its ref."""
    async with connect(vsn) as client:
        await client.send("heartbeat", {}, topic="phoenix", ref="7")
        assert await client.receive() == ("phx_reply", {"status": "ok", "response": {}}, "7")


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


BAD_TOKENS = {
    "malformed": "The token provided is not a valid JWT",
    "expired": "Token has expired 10 seconds ago",
    "no role": "Fields `role` and `exp` are required in JWT",
    "no exp": "Fields `role` and `exp` are required in JWT",
    "signature": "Failed to validate JWT signature",
    "none": "Failed to generate JWT signer, check your JWT secret or JWKS configuration",
    "algorithm": "Failed to generate JWT signer, check your JWT secret or JWKS configuration",
}


@pytest.fixture(params=BAD_TOKENS)
def bad_token(request, bare_stack):
    """A token that must be refused, and why."""
    claims = {"role": "authenticated", "exp": time.time() + 60}
    secret, algorithm = bare_stack.keys.jwt_secret, "HS256"
    match request.param:
        case "malformed":
            return request.param, "x.y.z"
        case "expired":
            claims["exp"] = time.time() - 10.5
        case "no role":
            del claims["role"]
        case "no exp":
            del claims["exp"]
        case "signature":
            secret = "x" * 40
        case "none":
            secret, algorithm = None, "none"
        case "algorithm":
            secret, algorithm = secret * 2, "HS512"
    return request.param, jwt.encode(claims, secret, algorithm=algorithm)


async def test_a_bad_token_is_refused_at_the_handshake(connect, bad_token):
    """The status is 401; no other algorithm than the project's is taken, least of all none."""
    _, token = bad_token
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await connect(apikey=token).__aenter__()


async def test_a_bad_token_is_refused_at_the_join(client, bad_token):
    """The reply names the defect."""
    kind, token = bad_token
    codes = {"malformed": "MalformedJWT", "signature": "JwtSignatureError", "none": "JwtSignerError"}
    code = codes.get(kind, "JwtSignerError" if kind == "algorithm" else "InvalidJWTToken")
    reply = await client.join(token=token)
    assert reply == {"status": "error", "response": {"reason": f"{code}: {BAD_TOKENS[kind]}"}}


async def test_a_bad_token_closes_the_channel(client, bad_token):
    """Pushed on an open channel it is told, without a reply, and the channel is closed; the socket stays."""
    kind, token = bad_token
    await client.join(join_ref="1")
    await client.send("access_token", {"access_token": token})
    event, payload, _ = await client.receive()
    message = ":signature_error" if kind == "signature" else BAD_TOKENS[kind]
    assert (event, payload) == (
        "system",
        {"extension": "system", "status": "error", "message": message, "channel": "room"},
    )
    assert await client.receive() == ("phx_close", {}, "1")
    assert await client.hears_nothing()


@pytest.mark.parametrize("token", [None, "sb_publishable_x", 5])
async def test_some_tokens_are_ignored(client, token):
    """What is no JWT by its form changes nothing, and nothing is answered."""
    await client.join()
    await client.send("access_token", {"access_token": token})
    assert await client.hears_nothing()


async def test_the_sockets_key_stands_in(client):
    """A join with an sb_ key as its token is one with the socket's own."""
    assert (await client.join(token="sb_publishable_x"))["status"] == "ok"


async def test_another_projects_publishable_key_is_anon(connect, bare_stack):
    """Socket and REST broadcast take it for what it is to REST; a foreign secret key opens nothing."""
    async with connect(apikey="sb_publishable_other") as client:
        await client.join()
        async with aiohttp.ClientSession() as session:
            url = f"{bare_stack.url}/realtime/v1/api/broadcast/room/events/ping"
            for key, status in (("sb_secret_other", 401), ("sb_publishable_other", 202)):
                answer = await session.post(url, json={}, headers={"apikey": key})
                assert answer.status == status
        assert (await client.receive())[0] == "broadcast"
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await connect(apikey="sb_secret_other").__aenter__()


async def test_unknown_events_are_ignored(client):
    """A joined channel answers nothing to what it does not know."""
    await client.join()
    await client.send("dance", {})
    assert await client.hears_nothing()


@pytest.mark.parametrize(
    "payload", [None, [], "x", {"config": {"broadcast": None, "presence": None, "private": "FALSE"}}]
)
async def test_a_join_is_read_leniently(client, payload):
    """What cannot be read counts as absent."""
    reply = await client.ask("phx_join", payload)
    assert reply == {"status": "ok", "response": {"postgres_changes": []}}


async def test_a_failed_join_ends_the_old_channel_too(client):
    """The channel in whose place it should have come is closed after the reply."""
    await client.join(join_ref="1")
    await client.join(token="x.y.z", join_ref="2")
    assert await client.receive() == ("phx_close", {}, "1")
    assert (await client.ask("broadcast", {}))["response"] == {"reason": "unmatched topic"}


async def test_a_channels_frames_carry_its_join_ref(connect):
    """At 2.0.0 a client tells by it which of two joins a frame belongs to."""
    async with connect("2.0.0") as client:
        frames = [["7", "8", "realtime:room", "phx_join", {"config": {"presence": {"enabled": True}}}]]
        frames.append(["7", "9", "realtime:room", "phx_leave", {}])
        for frame in frames:
            await client.socket.send_json(frame)
        received = [await client.socket.receive_json() for _ in range(4)]
    assert [frame[:4] for frame in received] == [
        ["7", "8", "realtime:room", "phx_reply"],
        ["7", None, "realtime:room", "presence_state"],
        ["7", "9", "realtime:room", "phx_reply"],
        ["7", "7", "realtime:room", "phx_close"],
    ]


async def test_malformed_frames_are_ignored(client):
    """The connection outlives what is no frame."""
    await client.socket.send_str("{")
    await client.send("heartbeat", {}, topic="phoenix")
    assert (await client.receive())[0] == "phx_reply"


@pytest.mark.parametrize(("vsn", "status"), [("1.0.0", 401), ("3.0.0", 403)])
async def test_a_handshake_is_refused_with_a_reason(bare_stack, vsn, status):
    """A missing key is told in JSON, an unknown version by the status alone."""
    async with aiohttp.ClientSession() as session:
        answer = await session.get(f"{bare_stack.url}/realtime/v1/websocket", params={"vsn": vsn})
        expected = '{"error": "API key is missing"}' if status == 401 else ""
        assert (answer.status, await answer.text()) == (status, expected)
