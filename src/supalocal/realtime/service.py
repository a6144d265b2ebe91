"""Realtime as a whole: the doors for sockets and REST broadcasts, and the feed from the database behind them."""

import asyncio
from typing import Literal

from aiohttp import web

from supalocal.apikey import APIKEY
from supalocal.realtime.authorization import Authorizer
from supalocal.realtime.broadcast_api import BroadcastApi
from supalocal.realtime.feed import Feed
from supalocal.realtime.frames import Codec
from supalocal.realtime.hub import Hub
from supalocal.realtime.limits import Limits
from supalocal.realtime.socket import Socket
from supalocal.realtime.tokens import TokenError

GOODBYE_SECONDS = 1.0
_NO_KEY = "API key is missing"
_VERSIONS: tuple[Literal["1.0.0"], Literal["2.0.0"]] = ("1.0.0", "2.0.0")


class Realtime:
    """Serves Realtime for one database.

    `dsn` logs in as a superuser of a database on which bootstrap/realtime.sql and realtime_messages.sql have run.
    """

    def __init__(
        self,
        *,
        dsn: str,
        jwt_secret: str,
        publication: str = "supabase_realtime",
        limits: Limits = Limits(),  # noqa: B008 - frozen
        quirks: bool = True,
    ) -> None:
        self._authorizer = Authorizer(dsn)
        self._hub = Hub(jwt_secret, publication, self._authorizer, limits)
        self._broadcasts = BroadcastApi(self._hub)
        self._feed = Feed(dsn, publication, self._hub, quirks=quirks)
        self._served: dict[Socket, asyncio.Future[None]] = {}

    async def start(self) -> None:
        """Return once changes are streamed; psycopg.Error when the database does not let us."""
        await self._feed.start()

    async def close(self) -> None:
        """Close every socket and connection."""
        await self._feed.stop()
        await self._close_sockets()
        await self._authorizer.close()
        await self._feed.close()

    async def _close_sockets(self) -> None:
        for socket in self._served:
            socket.say_goodbye()
        if self._served:
            await asyncio.wait(self._served.values(), timeout=GOODBYE_SECONDS)
        for socket in self._served:
            socket.abort()

    async def handle_socket(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket; the query's `vsn` picks the framing, 1.0.0 when absent."""
        version = request.query.get("vsn", _VERSIONS[0])
        codec = next((Codec(known) for known in _VERSIONS if known == version), None)
        if codec is None:
            return web.Response(status=403)
        key = request.get(APIKEY) or request.query.get("apikey")
        refusal = self._refuse(key)
        if key is None or refusal:
            await asyncio.sleep(self._hub.limits.handshake_pause_seconds)
            return refusal or _error(401, _NO_KEY)
        return await self._serve(request, codec, key)

    def _refuse(self, key: str | None) -> web.Response | None:
        if not key:
            return _error(401, _NO_KEY)
        try:
            self._hub.verify(key)
        except TokenError as exc:
            return _error(401, exc.at_handshake)
        if self._hub.is_full:
            return _error(429, "Too many connected users")
        return _error(429, "Too many joins per second") if self._hub.joins.exceeded() else None

    async def _serve(self, request: web.Request, codec: Codec, key: str) -> web.StreamResponse:
        response = web.WebSocketResponse(compress=False, max_msg_size=self._hub.limits.frame_bytes)
        try:
            await response.prepare(request)
        except ConnectionResetError:
            return response  # the client has gone already
        socket = Socket(self._hub, response, request, codec, key)
        ended = self._served[socket] = asyncio.get_running_loop().create_future()
        try:
            await socket.run()
        finally:
            del self._served[socket]
            ended.set_result(None)
        return response

    async def handle_broadcast(self, request: web.Request) -> web.StreamResponse:
        """Answer REST's batch of broadcasts, or the one message whose `topic` and `event` are in the path."""
        if "topic" in request.match_info:
            return await self._broadcasts.handle_single(request)
        return await self._broadcasts.handle_batch(request)


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
