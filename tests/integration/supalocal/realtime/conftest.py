"""Sockets of a stack without a project, frame by frame."""

import json
import socket
import time
from contextlib import asynccontextmanager
from itertools import count

import aiohttp
import jwt
import psycopg
import pytest
from aiohttp import web

from supalocal.realtime import Limits, Realtime

_tables = count()


class Client:
    """A socket that keeps apart what it is sent."""

    def __init__(self, socket, vsn):
        self.socket, self._vsn = socket, vsn
        self.refs = count(1)

    async def send(self, event, payload, topic="realtime:room", ref=None, join_ref=None):
        ref = ref or str(next(self.refs))
        if self._vsn == "1.0.0":
            await self.socket.send_json(
                {"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": join_ref}
            )
        else:
            await self.socket.send_json([join_ref, ref, topic, event, payload])
        return ref

    async def receive(self):
        """The next frame as (event, payload, ref); what is no text as (type, data, None)."""
        message = await self.socket.receive(timeout=10)
        if message.type is not aiohttp.WSMsgType.TEXT:
            return message.type, message.data, None
        frame = json.loads(message.data)
        if self._vsn == "1.0.0":
            return frame["event"], frame["payload"], frame["ref"]
        _, ref, _, event, payload = frame
        return event, payload, ref

    async def ask(self, event, payload, topic="realtime:room", *, join_ref=None):
        """Push an event and return the payload of its reply, which comes next."""
        ref = await self.send(event, payload, topic, join_ref=join_ref)
        answer, reply, answered = await self.receive()
        assert (answer, answered) == ("phx_reply", ref)
        return reply

    async def join(self, *bindings, topic="realtime:room", token=None, join_ref=None, **config):
        payload = {"config": {"postgres_changes": list(bindings), **config}}
        return await self.ask(
            "phx_join", payload | ({"access_token": token} if token else {}), topic, join_ref=join_ref
        )

    async def subscribe(self, *bindings, token=None):
        """Join and wait until changes are promised."""
        reply = await self.join(*bindings, token=token)
        event, payload, _ = await self.receive()
        assert (event, payload["message"]) == ("system", "Subscribed to PostgreSQL")
        return [binding["id"] for binding in reply["response"]["postgres_changes"]]

    async def hears_nothing(self):
        """Whether nothing was on its way: the answer to a heartbeat is what comes next."""
        ref = await self.send("heartbeat", {}, topic="phoenix")
        return (await self._news())[2] == ref

    async def events(self):
        """The events until the connection ends."""
        while isinstance((event := (await self.receive())[0]), str):
            yield event

    async def change(self):
        """The next change's data."""
        event, payload, _ = await self._news()
        assert event == "postgres_changes"
        return payload["data"]

    async def _news(self):
        """The next frame but for a promise of changes that comes again: once a minute, if tables came or went."""
        while (frame := await self.receive())[0] == "system" and frame[1]["message"] == "Subscribed to PostgreSQL":
            pass
        return frame


@pytest.fixture(params=["1.0.0", "2.0.0"])
def vsn(request):
    return request.param


@pytest.fixture
def connect(bare_stack):
    """Opens sockets."""

    @asynccontextmanager
    async def open_socket(vsn="1.0.0", apikey=None, url=None, **headers):
        url = url or f"{bare_stack.url}/realtime/v1/websocket"
        params = {"apikey": apikey or bare_stack.anon_key, "vsn": vsn}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, params=params, headers=headers, max_msg_size=0) as socket,
        ):
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
def serve(bare_stack):
    """Serves the stack's database with limits, or without quirks, of the test's own; yields the socket's URL."""

    @asynccontextmanager
    async def serving(*, quirks=True, **limits):
        realtime = Realtime(
            dsn=bare_stack.admin_db_url,
            jwt_secret=bare_stack.keys.jwt_secret,
            limits=Limits(**limits),
            quirks=quirks,
        )
        application = web.Application()
        application.router.add_get("/websocket", realtime.handle_socket)
        application.router.add_post("/broadcast", realtime.handle_broadcast)
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            await realtime.start()
            await web.SockSite(runner, listener).start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/websocket"
            await realtime.close()
            await runner.cleanup()

    return serving


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
