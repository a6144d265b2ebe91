"""A proxy on loopback before any Supabase, that does to its HTTP and websockets what bad networks and servers do."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from . import relay
from .frames import Hook, Hooks, Socket, untouched
from .links import LOOPBACK, Links, reset

# Those of one connection only; the proxy makes its own.
_OF_A_HOP = {"connection", "keep-alive", "host", "content-length", "transfer-encoding", "upgrade"}
_NO_DEFAULTS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_GOODBYE_SECONDS = 2.0


class Outcome(Enum):
    RESET = auto()  # cut without being forwarded
    LOST = auto()  # forwarded, and cut when the answer has come


@dataclass
class Fault:
    """What some requests meet: a status that is answered, or an outcome. As a context it ends with its block."""

    outcome: int | Outcome
    path: str  # how theirs begins
    method: str | None
    left: float
    once_each: bool = False
    hits: int = 0  # requests that met it
    _met: set[tuple[str, str, bytes]] = field(default_factory=set)

    def meets(self, request: web.Request, body: bytes) -> bool:
        """Whether this request is one of them, which counts."""
        key = (request.method, request.raw_path, body)
        is_meant = request.path.startswith(self.path) and self.method in (None, request.method)
        if not is_meant or self.left <= 0 or key in self._met:
            return False
        if self.once_each:
            self._met.add(key)
        self.left -= 1
        self.hits += 1
        return True

    def stop(self) -> None:
        self.left = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class FaultProxy(Links):
    """The network between clients, which connect to `url`, and `target`; without faults it carries everything.

    A target that cannot be reached, or dies under a request or websocket, looks like a host that died: the client's
    connection is reset. `target` may be set to another URL; open websockets stay with the old one.
    """

    def __init__(self, target: str, http: aiohttp.ClientSession) -> None:
        super().__init__()
        self.target = target
        self.requests: Counter[tuple[str, str]] = Counter()  # by method and path; a websocket's is a GET
        self.sockets: list[Socket] = []  # every one that was opened
        self.frames: Hooks = untouched  # what becomes of the server's frames on websockets opened from now on
        self._http = http
        self._faults: list[Fault] = []
        self._news = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def open_sockets(self) -> list[Socket]:
        return [socket for socket in self.sockets if socket.is_open]

    def answering(self, status: int, path: str = "/", *, method: str | None = None, times: float = inf) -> Fault:
        """The next requests whose path begins so are answered by the proxy, a websocket's too, and not forwarded."""
        return self._add(Fault(status, path, method, times))

    def resetting(self, path: str = "/", *, method: str | None = None, times: float = inf) -> Fault:
        """The next requests whose path begins so are cut (RST), a websocket's too, and not forwarded."""
        return self._add(Fault(Outcome.RESET, path, method, times))

    def losing_answers(
        self, path: str = "/", *, method: str | None = None, times: float = inf, once_each: bool = False
    ) -> Fault:
        """The next requests whose path begins so are carried out, but the client is cut (RST) in place of the answer.

        `once_each`: only the first time for the same method, address and body, so that a retry succeeds.
        """
        return self._add(Fault(Outcome.LOST, path, method, times, once_each))

    async def until(self, holds: Callable[[], object], *, within: float = 10.0) -> None:
        """Wait for something that can be told by `requests`, `sockets` or a fault's hits. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def _add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        outcome = next((fault.outcome for fault in self._faults if fault.meets(request, body)), None)
        self.requests[request.method, request.path] += 1
        self._news.set()
        if isinstance(outcome, int):
            return web.json_response({"message": "a fault of the network"}, status=outcome)
        if outcome is Outcome.RESET:
            return _reset(request)
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._upgrade(request, is_lost=outcome is Outcome.LOST)
            answer = await self._forward(request, body)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionResetError):
            return _reset(request)
        return _reset(request) if outcome is Outcome.LOST else answer

    def _to(self, request: web.Request) -> URL:
        return URL(self.target.rstrip("/") + request.raw_path, encoded=True)

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        async with self._http.request(
            request.method,
            self._to(request),
            headers=[(name, value) for name, value in request.headers.items() if name.lower() not in _OF_A_HOP],
            skip_auto_headers=_NO_DEFAULTS,
            data=io.BytesIO(body) if request.body_exists else None,
            allow_redirects=False,
        ) as answer:
            response = web.Response(status=answer.status, reason=answer.reason, body=await answer.read())
            response.headers.extend(
                (name, value) for name, value in answer.headers.items() if name.lower() not in _OF_A_HOP
            )
            return response

    async def _upgrade(self, request: web.Request, *, is_lost: bool) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        self.becomes_websocket(transport.get_extra_info("peername")[1])
        own = _OF_A_HOP | {name for name in map(str.lower, request.headers) if name.startswith("sec-websocket-")}
        protocols = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name]
        # Nothing is compressed, so that frames can be read; pings and their answers are the ends' own.
        try:
            server = await self._http.ws_connect(
                self._to(request),
                headers=[(name, value) for name, value in request.headers.items() if name.lower() not in own],
                protocols=protocols,
                timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE_SECONDS),
                autoping=False,
                max_msg_size=0,
            )
        except aiohttp.WSServerHandshakeError as refused:
            return web.Response(status=refused.status)
        async with contextlib.AsyncExitStack() as opened:
            opened.push_async_callback(server.close)
            if is_lost:
                return _reset(request)
            client = web.WebSocketResponse(
                protocols=[server.protocol] if server.protocol else [],
                compress=False,
                timeout=_GOODBYE_SECONDS,
                autoping=False,
                max_msg_size=0,
            )
            await client.prepare(request)
            socket = Socket(self.frames())
            self.sockets.append(socket)
            self._news.set()
            try:
                await relay.carry(client, server, self._seeing(socket))
            finally:
                socket.is_open = False
                self._news.set()
        return client

    def _seeing(self, socket: Socket) -> Hook:
        def take(frame: str) -> list[str]:
            self._news.set()
            return socket.take(frame)

        return take


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        reset(request.transport)
    return web.Response()  # goes nowhere


@contextlib.asynccontextmanager
async def proxy(target: str) -> AsyncIterator[FaultProxy]:
    """A FaultProxy before the Supabase at this URL; at the end everything through it is cut."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
    ) as http:
        network = FaultProxy(target, http)
        application = web.Application(client_max_size=0)
        application.router.add_route("*", "/{path:.*}", network.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, 0).start()
            async with network.leading_to(runner.addresses[0][1]):
                yield network
        finally:
            await runner.cleanup()
