"""The one HTTP door: routes, CORS, and the swap of `sb_` keys for the JWTs they stand for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from supalocal.apikey import APIKEY, AUTHORIZATION
from supalocal.connection import Connection

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from supalocal.keys import Keys

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MAX_BODY = 256 * 1024**2  # bytes
_SHUTDOWN_SECONDS = 2.0
_METHODS = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD"
_EXPOSED = (
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, "
    "Range-Unit"
)
_UNSUPPORTED = ("/storage/v1", "/functions/v1", "/graphql/v1", "/pg/", "/analytics/v1", "/realtime/v1")
_BEARER = "Bearer "
_REST = "/rest/v1"
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}


class Api(Protocol):
    """Answers what is below one prefix; the rest of the path is `match_info["path"]`."""

    async def handle(self, request: web.Request) -> web.StreamResponse: ...


class Rest(Api, Protocol):
    """Also answers a method that no server knows."""

    def refuse(self, method: str, path: str) -> web.Response | None: ...


class Sockets(Protocol):
    """The Realtime server; the caller's JWT is `request[APIKEY]`."""

    async def handle_socket(self, request: web.Request) -> web.StreamResponse: ...

    async def handle_broadcast(self, request: web.Request) -> web.StreamResponse: ...


class Gateway:
    """The HTTP server in front of REST, Auth and Realtime."""

    def __init__(self, *, keys: Keys, rest: Rest, auth: Api, realtime: Sockets) -> None:
        self._keys = keys
        self._rest = rest
        self._listening: asyncio.Server | None = None
        application = web.Application(client_max_size=_MAX_BODY, middlewares=[_preflight])
        application.on_response_prepare.append(_allow_any_origin)
        for prefix, handler in ((_REST, self._marked(rest.handle)), ("/auth/v1", self._authorized(auth.handle))):
            application.router.add_route("*", prefix, handler)
            application.router.add_route("*", prefix + "/{path:.*}", handler)
        application.router.add_get("/realtime/v1/websocket", self._socket(realtime.handle_socket), allow_head=False)
        for path in ("/realtime/v1/api/broadcast", "/realtime/v1/api/broadcast/{topic}/events/{event}"):
            application.router.add_post(path, self._authorized(realtime.handle_broadcast))
        application.router.add_route("*", "/{path:.*}", _unknown)
        self._runner = web.AppRunner(application, handle_signals=False, shutdown_timeout=_SHUTDOWN_SECONDS)

    async def start(self, listener: socket.socket) -> None:
        """Serve on the socket, which is ours from now on."""
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("The gateway was closed while it started.")
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: Connection(server, self._refuse), sock=listener)

    async def close(self) -> None:
        """Stop listening and end what is still open."""
        if self._listening:
            self._listening.close()
        await self._runner.cleanup()

    def _refuse(self, method: str, target: str) -> web.Response | None:
        """The answer to a made-up method, as far as one is known."""
        path = target.partition("?")[0]
        if not path.startswith(_REST + "/"):
            return None
        answer = self._rest.refuse(method, path.removeprefix(_REST + "/"))
        if answer is not None:
            answer.headers.update(_ANY_ORIGIN)
        return answer

    def _marked(self, handler: Handler) -> Handler:
        """Send requests on as they are, with what the key rules give them beside their headers."""

        async def handle(request: web.Request) -> web.StreamResponse:
            sent = request.headers.get("Authorization")
            authorization = self._keys.authorization(sent, request.headers.get("apikey"))
            if authorization is not None:
                request[AUTHORIZATION] = authorization
            return await handler(request)

        return handle

    def _authorized(self, handler: Handler) -> Handler:
        """Send requests on with the Authorization header that the key rules give them."""

        async def handle(request: web.Request) -> web.StreamResponse:
            sent = request.headers.get("Authorization")
            authorization = self._keys.authorization(sent, request.headers.get("apikey"))
            if authorization != sent:
                request = _with_authorization(request, authorization)
            if authorization is not None:
                request[APIKEY] = self._keys.token(authorization.removeprefix(_BEARER))
            return await handler(request)

        return handle

    def _socket(self, handler: Handler) -> Handler:
        """A browser cannot set headers on a websocket: its key comes in the query."""

        async def handle(request: web.Request) -> web.StreamResponse:
            apikey = request.headers.get("x-api-key") or request.query.get("apikey") or request.headers.get("apikey")
            if apikey:
                request[APIKEY] = self._keys.token(apikey)
            return await handler(request)

        return handle


def _with_authorization(request: web.Request, authorization: str | None) -> web.Request:
    headers = request.headers.copy()
    headers.popall("Authorization", None)
    if authorization is not None:
        headers["Authorization"] = authorization
    return request.clone(headers=headers)


@web.middleware
async def _preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a browser's question before a request from another origin; any origin may."""
    asked = request.headers.get("Access-Control-Request-Method")
    if request.method != "OPTIONS" or asked is None or "Origin" not in request.headers:
        return await handler(request)
    wanted = request.headers.get("Access-Control-Request-Headers")
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": ", ".join(filter(None, ["Authorization", wanted])),
        "Access-Control-Max-Age": "86400",
    }
    return web.Response(headers=headers)


async def _allow_any_origin(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_ANY_ORIGIN)
    if "Origin" in request.headers:
        response.headers.setdefault("Access-Control-Expose-Headers", _EXPOSED)


async def _unknown(request: web.Request) -> web.Response:
    what = f"{request.method} {request.path}"
    if request.path.startswith(_UNSUPPORTED):
        return web.json_response({"message": f"{what} is not supported by supalocal."}, status=501)
    message = f"{what} is nothing that supalocal serves: /rest/v1, /auth/v1 and /realtime/v1 are."
    return web.json_response({"message": message}, status=404)
