"""Opening a subscription, against a real websocket server on loopback that answers joins from a script."""

import json

import pytest
from aiohttp import WSMsgType, web
from realtime import AsyncRealtimeClient

from babelroom.errors import SubscribeFailed, SubscribeTimeout
from babelroom.realtime.connection import Listening

OK = {"status": "ok"}
READY = {"extension": "postgres_changes", "status": "ok", "message": "Subscribed to PostgreSQL"}


def refused(reason):
    return {"status": "error", "response": {"reason": reason}}


class Server:
    """Each join takes the next step: a reply, and perhaps what the `system` message then says."""

    def __init__(self):
        self.script = []
        self.joins = 0

    async def serve(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                message = json.loads(frame.data)
                if message["event"] == "phx_join":
                    await self.join(socket, message)
        return socket

    async def join(self, socket, message):
        reply, system = self.script[min(self.joins, len(self.script) - 1)]
        self.joins += 1
        bindings = [binding | {"id": 7} for binding in message["payload"]["config"]["postgres_changes"]]
        payload = {"response": {"postgres_changes": bindings}} | reply
        topic = message["topic"]
        await socket.send_json({"topic": topic, "event": "phx_reply", "ref": message["ref"], "payload": payload})
        if system:
            await socket.send_json(
                {"topic": topic, "event": "system", "ref": None, "payload": system | {"channel": topic[9:]}}
            )


@pytest.fixture
async def server():
    served = Server()
    application = web.Application()
    application.router.add_get("/realtime/v1/websocket", served.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/realtime/v1"
    yield served
    await runner.cleanup()


@pytest.fixture
async def listening(server):
    client = AsyncRealtimeClient(server.url, token="key")
    opened = Listening(client, table="messages", row_filter="id=eq.1", on_change=lambda _: None, on_ready=lambda: None)
    yield opened
    await opened.close()
    await client.close()


async def test_it_opens_when_the_server_says_that_changes_flow(server, listening):
    """Not when the join is answered."""
    server.script = [(OK, READY)]
    await listening.open(within=5)
    assert server.joins == 1


async def test_a_join_reply_alone_is_not_enough(server, listening):
    """The timeout is a clear error."""
    server.script = [(OK, None)]
    with pytest.raises(SubscribeTimeout, match=r"changes flow.*waited 0\.3 s"):
        await listening.open(within=0.3)


async def test_a_server_that_is_still_waking_up_is_waited_for(server, listening):
    """A join refused for a passing reason is tried again within the time."""
    server.script = [(refused("InitializingProjectConnection: connecting to the database"), None), (OK, READY)]
    await listening.open(within=10)
    assert server.joins == 2


@pytest.mark.parametrize(
    "step",
    [
        (refused("InvalidJWTToken: Token has expired 12 seconds ago"), None),
        (refused("Unauthorized: You do not have permissions to read from this Channel topic: x"), None),
        (OK, READY | {"status": "error", "message": "Unable to subscribe to changes with given parameters."}),
    ],
)
async def test_a_refusal_that_stays_is_told_at_once(server, listening, step):
    """With the server's own words and what to check."""
    server.script = [step]
    with pytest.raises(SubscribeFailed, match=r"supabase_realtime.*(expired|permissions|Unable)"):
        await listening.open(within=10)
    assert server.joins == 1
