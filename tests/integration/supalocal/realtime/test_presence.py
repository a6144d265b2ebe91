"""Presence, between sockets."""

import pytest


def track(**told):
    return {"type": "presence", "event": "track", "payload": told}


UNTRACK = {"type": "presence", "event": "untrack"}
OK = {"status": "ok", "response": {}}


async def joined(client, key="", **config):
    """Join with presence and return the state that comes with it."""
    await client.join(presence={"enabled": True, "key": key}, **config)
    event, state, ref = await client.receive()
    assert (event, ref) == ("presence_state", None)
    return state


async def tracked(client, **told):
    """Track, and return the diff that follows the reply."""
    assert await client.ask("presence", track(**told)) == OK
    return await diff(client)


async def diff(client):
    event, payload, ref = await client.receive()
    assert (event, ref, set(payload)) == ("presence_diff", None, {"joins", "leaves"})
    return payload


async def test_who_tracks_is_announced(connect, vsn):
    """Everybody gets the diff, the tracker too, and who joins later the state."""
    async with connect(vsn) as alice, connect(vsn) as bob:
        assert await joined(alice, "alice") == {}
        announced = await tracked(alice, status="on")
        [meta] = announced["joins"]["alice"]["metas"]
        assert announced == {"joins": {"alice": {"metas": [meta]}}, "leaves": {}}
        assert meta == {"status": "on", "phx_ref": meta["phx_ref"]}
        assert await joined(bob, "bob") == {"alice": {"metas": [meta]}}


async def test_a_key_is_made_up(connect):
    """Without one each channel has its own."""
    async with connect() as one, connect() as other:
        await joined(one)
        await joined(other)
        [mine] = (await tracked(one, n=1))["joins"]
        await diff(other)
        [theirs] = (await tracked(other, n=1))["joins"]
    assert mine
    assert mine != theirs


async def test_tracking_anew_replaces(client):
    """The old meta leaves and the new one names it; the same again is no news."""
    await joined(client, "alice")
    old = (await tracked(client, status="on"))["joins"]["alice"]["metas"][0]
    assert await client.ask("presence", track(status="on")) == OK
    announced = await tracked(client, status="off")
    [new] = announced["joins"]["alice"]["metas"]
    assert new == {"status": "off", "phx_ref": new["phx_ref"], "phx_ref_prev": old["phx_ref"]}
    assert announced["leaves"] == {"alice": {"metas": [old]}}


@pytest.mark.parametrize("how", ["untrack", "leave", "disconnect", "rejoin"])
async def test_who_goes_is_announced(connect, how):
    """However a channel goes, the others learn it."""
    async with connect() as alice, connect() as bob:
        await joined(alice, "alice")
        await joined(bob, "bob")
        meta = (await tracked(alice, n=1))["joins"]["alice"]["metas"][0]
        await diff(bob)
        match how:
            case "untrack":
                assert await alice.ask("presence", UNTRACK) == OK
            case "leave":
                await alice.send("phx_leave", {})
            case "disconnect":
                await alice.socket.close()
            case "rejoin":
                await alice.join()
        assert await diff(bob) == {"joins": {}, "leaves": {"alice": {"metas": [meta]}}}


async def test_presence_may_stay_off(connect):
    """Without it there is no state, but diffs come, and tracking is possible."""
    async with connect() as alice, connect() as bob:
        await alice.join(presence={"enabled": False, "key": "alice"})
        await joined(bob)
        assert "alice" in (await tracked(alice, n=1))["joins"]
        assert "alice" in (await diff(bob))["joins"]


async def test_event_names_may_be_in_any_case(client):
    """TRACK is track; supabase-py sends no type."""
    await joined(client)
    assert await client.ask("presence", {"event": "TRACK", "payload": {}}) == OK


@pytest.mark.parametrize(
    ("payload", "response"),
    [
        ({"event": "track", "payload": "x"}, {"reason": "Presence track payload must be a map"}),
        ({"event": "vanish"}, {}),
        ({"event": 5}, {}),
    ],
)
async def test_what_cannot_be_tracked_is_refused(client, payload, response):
    """The reply is an error, and the channel stays."""
    await joined(client)
    assert await client.ask("presence", payload) == {"status": "error", "response": response}
    assert await client.ask("presence", track(n=1)) == OK


async def test_a_client_that_tracks_too_often_is_shut_out(client):
    """The sixth call within 30 seconds closes the channel."""
    await joined(client)
    for _ in range(5):
        assert await client.ask("presence", track()) == OK
        if _ == 0:
            await diff(client)
    await client.send("presence", track())
    event, payload, _ = await client.receive()
    assert (event, payload["message"]) == ("system", "Client presence rate limit exceeded")
    assert (await client.receive())[0] == "phx_close"


async def test_a_payload_that_is_too_large_closes_the_channel(client):
    """More than 3000 kB are told and end the channel."""
    await joined(client)
    await client.send("presence", track(x="x" * 3_000_500))
    event, payload, _ = await client.receive()
    assert (event, payload["message"]) == ("system", "Track message size exceeded")
