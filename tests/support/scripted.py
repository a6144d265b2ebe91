"""A Realtime on loopback that says what a test tells it to say; its REST has no rows."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from aiohttp import WSMsgType, web

FLOWING = {"extension": "postgres_changes", "status": "ok", "message": "Subscribed to PostgreSQL"}
AT = "2026-01-01T00:00:00+00:00"
TYPES = {"id": "uuid", "seq": "int8", "rev": "int8"}


@dataclass(eq=False)
class Join:
    """A channel that a client has asked for."""

    socket: web.WebSocketResponse
    topic: str
    ref: str
    payload: dict[str, Any]

    @property
    def bindings(self) -> list[dict[str, Any]]:
        return list(self.payload["config"]["postgres_changes"])

    @property
    def table(self) -> str:
        return str(self.bindings[0]["table"])

    async def send(self, event: str, payload: Any, *, ref: str | None = None) -> None:
        await self.socket.send_json({"topic": self.topic, "event": event, "ref": ref, "payload": payload})

    async def answer(self, status: str = "ok", **response: Any) -> None:
        """What the server makes of it: no word yet on whether changes flow."""
        bindings = [binding | {"id": 7} for binding in self.bindings]
        body = response or {"postgres_changes": bindings}
        await self.send("phx_reply", {"status": status, "response": body}, ref=self.ref)

    async def tell(self, **system: Any) -> None:
        """A `system` message; without anything else, that changes flow."""
        await self.send("system", FLOWING | {"channel": self.topic.removeprefix("realtime:")} | system)

    async def shut(self) -> None:
        """Close the channel, as the server does it."""
        await self.send("phx_close", {}, ref=self.ref)

    async def crash(self) -> None:
        """Close it as the server does after an error of its own."""
        await self.send("phx_error", {}, ref=self.ref)

    async def change(self, record: dict[str, Any]) -> None:
        """A row was inserted."""
        columns = [{"name": name, "type": TYPES.get(name, "text")} for name in record]
        data = {
            "schema": "public", "table": self.table, "type": "INSERT", "commit_timestamp": AT, "errors": None,
            "columns": columns, "record": record,
        }  # fmt: skip
        await self.send("postgres_changes", {"ids": [7], "data": data})

    async def broadcast(self, event: str, payload: Any) -> None:
        """Somebody has sent this to the topic."""
        await self.send("broadcast", {"type": "broadcast", "event": event, "payload": payload})


class Server:
    """Every join is answered, and told that changes flow, as `answers` and `confirms` say."""

    def __init__(self) -> None:
        self.url = ""
        self.answers = True
        self.confirms = True
        self.answers_heartbeats = True
        self.sockets: list[web.WebSocketResponse] = []
        self.joins: list[Join] = []
        self.tokens: list[str] = []  # those that followed a join
        self.heartbeats = 0
        self._news = asyncio.Event()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for something that can be told by the lists."""
        async with asyncio.timeout(10):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def joined(self, count: int = 1) -> Join:
        """The latest join, once there have been so many."""
        await self.until(lambda: len(self.joins) >= count)
        return self.joins[-1]

    async def rest(self, _: web.Request) -> web.Response:
        return web.json_response([])

    async def realtime(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        self._news.set()
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self._hear(socket, json.loads(frame.data))
        return socket

    async def _hear(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        join = Join(socket, message["topic"], message["ref"], message["payload"])
        match message["event"]:
            case "phx_join":
                self.joins.append(join)
                if self.answers:
                    await join.answer()
                if self.answers and self.confirms and join.bindings:
                    await join.tell()
            case "access_token":
                self.tokens.append(message["payload"]["access_token"])
            case "heartbeat":
                self.heartbeats += 1
                if self.answers_heartbeats:
                    await join.send("phx_reply", {"status": "ok", "response": {}}, ref=join.ref)
            case "phx_leave":
                await join.send("phx_reply", {"status": "ok", "response": {}}, ref=join.ref)
                await join.send("phx_close", {}, ref=message["join_ref"])
            case _:
                await join.send("phx_reply", {"status": "ok", "response": {}}, ref=join.ref)
        self._news.set()


@contextlib.asynccontextmanager
async def serve() -> AsyncIterator[Server]:
    """A Server on a free port."""
    served = Server()
    application = web.Application()
    application.router.add_get("/realtime/v1/websocket", served.realtime)
    application.router.add_route("*", "/rest/v1/{path:.*}", served.rest)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        served.url = site.name
        yield served
    finally:
        await runner.cleanup()


def message(session: UUID, number: int) -> dict[str, Any]:
    """A message's row, as Realtime sends it: number of its state, place and text."""
    return {
        "id": str(uuid4()), "session_id": str(session), "user_id": str(session), "original": f"{number}",
        "translation": None, "original_lang": "en", "target_lang": "es", "status": "queued", "queued_at": AT,
        "processed_at": None, "displayed_at": None, "error": None, "performance_metrics": None, "timestamp": AT,
        "created_at": AT, "seq": number, "rev": number,
    }  # fmt: skip
