"""What is refused, and when a connection is ended."""

import asyncio
import time

import aiohttp
import pytest

import supalocal

PING = {"type": "broadcast", "event": "ping", "payload": {}}


async def shut(client):
    """The message of the system error that comes next, which a close follows."""
    event, payload, _ = await client.receive()
    assert (event, payload["extension"], payload["status"]) == ("system", "system", "error")
    assert (await client.receive())[0] == "phx_close"
    return payload["message"]


async def cut_off(client):
    """Whether the connection ends without a close frame."""
    kind, _, _ = await client.receive()
    return kind is aiohttp.WSMsgType.CLOSED and client.socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_a_silent_client_is_closed(connect, serve):
    """Whoever sends nothing for the idle time is closed with 1000."""
    async with serve(idle_seconds=0.2) as url, connect(url=url) as client:
        assert (await client.receive())[:2] == (aiohttp.WSMsgType.CLOSE, 1000)


async def test_a_client_without_channels_is_cut_off(connect, serve):
    """After a while the connection ends without a close frame; a channel keeps it, until the client leaves that."""
    async with serve(no_channel_seconds=0.2) as url, connect(url=url) as member, connect(url=url) as stranger:
        await member.join()
        assert await cut_off(stranger)
        assert await member.hears_nothing()
        assert (await member.ask("phx_leave", {}))["status"] == "ok"
        assert (await member.receive())[0] == "phx_close"
        assert await cut_off(member)


async def test_a_frame_that_is_too_large_ends_the_connection(connect, serve):
    """Beyond the limit the socket is closed with 1009."""
    async with serve(frame_bytes=1000) as url, connect(url=url) as client:
        await client.socket.send_str("x" * 2000)
        assert (await client.receive())[:2] == (aiohttp.WSMsgType.CLOSE, 1009)


async def test_channels_are_counted_per_socket(connect, serve):
    """One too many is refused, and one that takes another's place is not one more."""
    async with serve(channels_per_socket=2) as url, connect(url=url) as client:
        assert [(await client.join(topic=f"realtime:{name}"))["status"] for name in "ab"] == ["ok", "ok"]
        reply = await client.join(topic="realtime:c")
        assert reply["response"] == {"reason": "ChannelRateLimitReached: Too many channels"}
        assert (await client.join(topic="realtime:a"))["status"] == "ok"


async def test_users_are_counted(connect, serve):
    """When all places are taken a join is refused, and then the handshake too; who goes makes room."""
    async with serve(users=1) as url, connect(url=url) as late:
        async with connect(url=url) as first:
            await first.join()
            reply = await late.join()
            assert reply["response"] == {"reason": "ConnectionRateLimitReached: Too many connected users"}
            with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
                await connect(url=url).__aenter__()
        while (reply := await late.join())["status"] == "error":
            pass
        assert reply["status"] == "ok"


async def test_a_flood_of_joins_is_refused(connect, serve):
    """Beyond the rate, averaged over twelve seconds, the join fails and the socket is closed with 1001."""
    async with serve(joins_per_second=1) as url, connect(url=url) as client:
        replies = [await client.join(topic=f"realtime:{n}") for n in range(14)]
        assert [reply["status"] for reply in replies] == ["ok"] * 13 + ["error"]
        assert replies[-1]["response"] == {"reason": "ClientJoinRateLimitReached: Too many joins per second"}
        assert (await client.receive())[:2] == (aiohttp.WSMsgType.CLOSE, 1001)


async def test_a_flood_of_broadcasts_closes_the_receiver(connect, serve):
    """Beyond the rate of all sent and received together the channel that receives is shut."""
    async with serve(events_per_second=1) as url, connect(url=url) as sender, connect(url=url) as receiver:
        await sender.join()
        await receiver.join()
        for _ in range(7):
            await sender.send("broadcast", PING)
        assert [(await receiver.receive())[0] for _ in range(7)] == ["broadcast"] * 7
        assert await shut(receiver) == "Too many messages per second"


async def test_a_flood_of_rest_broadcasts_is_refused(serve, bare_stack):
    """A batch that would exceed the rate is answered with 429."""
    batch = {"messages": [{"topic": "room", "event": "ping", "payload": {"n": 1}}] * 2}
    headers = {"Authorization": f"Bearer {bare_stack.anon_key}"}
    async with serve(events_per_second=1) as url, aiohttp.ClientSession(headers=headers) as session:
        answer = await session.post(url.replace("websocket", "broadcast"), json=batch)
        assert (answer.status, await answer.json()) == (
            429,
            {"message": "Too many messages to broadcast, please reduce the batch size"},
        )


async def test_a_flood_of_presence_closes_the_channel(connect, serve):
    """Beyond the rate of all presence events the one that tracks is shut."""
    async with serve(presence_events_per_second=1, presence_calls=None) as url, connect(url=url) as client:
        await client.join(presence={"enabled": True})
        assert (await client.receive())[0] == "presence_state"
        for number in range(6):
            await client.ask("presence", {"event": "track", "payload": {"n": number}})
            assert (await client.receive())[0] == "presence_diff"
        await client.send("presence", {"event": "track", "payload": {"n": 6}})
        assert await shut(client) == "Too many presence messages per second"


async def test_changes_beyond_the_rate_are_dropped(connect, serve, db, table):
    """Nobody is told, as on hosted."""
    async with serve(events_per_second=1) as url, connect(url=url) as client:
        await client.subscribe({"event": "INSERT", "schema": "public", "table": table})
        await db.execute(f"insert into {table} select generate_series(1, 50)")
        assert [(await client.change())["record"]["id"] for _ in range(13)] == list(range(1, 14))
        assert await client.hears_nothing()


async def test_a_refusal_may_take_its_time(connect, serve):
    """With the pauses of hosted a refused join and a refused handshake are answered later."""
    async with serve(join_pause_seconds=0.2, handshake_pause_seconds=0.2) as url, connect(url=url) as client:
        started = time.monotonic()
        await client.join(token="x.y.z")
        assert time.monotonic() - started >= 0.2
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await connect(url=url, apikey="x.y.z").__aenter__()
        assert time.monotonic() - started >= 0.4


async def test_a_stack_can_have_the_limits_of_hosted():
    """With the switch an error takes the five seconds that it takes there."""
    async with supalocal.Stack(realtime_limits=True) as stack, aiohttp.ClientSession() as session:
        url, params = f"{stack.url}/realtime/v1/websocket", {"apikey": stack.anon_key}
        async with session.ws_connect(url, params=params) as socket:
            started = time.monotonic()
            await socket.send_json({"topic": "realtime:", "event": "phx_join", "payload": {}, "ref": "1"})
            assert (await socket.receive_json())["payload"]["status"] == "error"
            assert time.monotonic() - started >= 5


async def test_a_server_that_stops_says_so(connect, serve):
    """Each channel is told, and the socket closed with 1012."""
    running = serve()
    async with connect(url=await running.__aenter__()) as client:
        await client.join()
        stopping = asyncio.create_task(running.__aexit__(None, None, None))
        event, payload, _ = await client.receive()
        assert (event, payload["message"]) == ("system", "Server requested disconnect")
        assert (await client.receive())[:2] == (aiohttp.WSMsgType.CLOSE, 1012)
        await stopping
