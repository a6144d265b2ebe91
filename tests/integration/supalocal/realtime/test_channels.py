"""Joining, leaving, tokens and framing."""

import time

import aiohttp
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


async def test_a_bad_token_is_refused_at_the_join(client):
    """The reply names the defect."""
    reply = await client.join(token="x.y.z")
    assert reply["response"] == {"reason": "MalformedJWT: The token provided is not a valid JWT"}


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
