"""Broadcasts over HTTP: a batch for several rooms, or one message whose room and event are in the path."""

from collections.abc import Awaitable, Callable

import psycopg
from aiohttp import web

from supalocal.apikey import APIKEY
from supalocal.realtime.authorization import PolicyError, seen_headers
from supalocal.realtime.broadcast import BatchError, RoomMessage, parse_batch, parse_single
from supalocal.realtime.frames import MalformedFrameError, parse_json, utf8
from supalocal.realtime.hub import NO_DATABASE, Hub
from supalocal.realtime.tokens import Identity, TokenError

_JSON, _BINARY = "application/json", "application/octet-stream"
_UNSUPPORTED = {"error": f"Unsupported Media Type. Use {_JSON} or {_BINARY}"}
_UNAUTHORIZED = {"message": "Unauthorized"}
_RATE_LIMIT = "You have exceeded your rate limit"
_BATCH_LIMIT = "Too many messages to broadcast, please reduce the batch size"


class BroadcastApi:
    """The two endpoints; both answer 202 with an empty body, or say what is wrong."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def handle_batch(self, request: web.Request) -> web.Response:
        """Send the messages of a batch. A private one that the caller may not send is dropped without a word."""
        return await self._answer(request, self._send_batch)

    async def handle_single(self, request: web.Request) -> web.Response:
        """Send the body to the path's room as the path's event."""
        return await self._answer(request, self._send_single)

    async def _answer(
        self, request: web.Request, send: Callable[[web.Request, Identity], Awaitable[web.Response]]
    ) -> web.Response:
        try:
            identity = self._hub.verify(_bearer(request)).identity
            return await send(request, identity)
        except TokenError:
            return web.json_response(_UNAUTHORIZED, status=401)
        except BatchError as exc:
            return web.json_response(exc.errors, status=422)
        except MalformedFrameError as exc:
            return web.json_response({"message": f"The body cannot be read: {exc}."}, status=400)
        except psycopg.OperationalError:
            return web.json_response({"message": NO_DATABASE}, status=503)

    async def _send_batch(self, request: web.Request, identity: Identity) -> web.Response:
        messages = parse_batch(parse_json(utf8(await request.read())), self._hub.limits.payload_bytes)
        if refusal := self._too_many(len(messages)):
            return refusal
        headers = seen_headers(request.headers)
        rights: dict[str, bool] = {}
        for message in messages:
            if message.is_private and message.topic not in rights:
                rights[message.topic] = await self._may_send(message, identity, headers)
        for message in messages:
            if not message.is_private or rights[message.topic]:
                self._hub.send(message)
        return web.Response(status=202)

    async def _may_send(self, message: RoomMessage, identity: Identity, headers: str) -> bool:
        try:
            return await self._hub.authorizer.writable(message.topic, identity, headers, "broadcast")
        except PolicyError:
            return False

    async def _send_single(self, request: web.Request, identity: Identity) -> web.Response:
        body = await _payload(request)
        if body is None:
            return web.json_response(_UNSUPPORTED, status=415)
        message = parse_single(
            request.match_info["topic"],
            request.match_info["event"],
            body,
            self._hub.limits.payload_bytes,
            is_private=request.query.get("private") == "true",
        )
        if refusal := self._too_many(1):
            return refusal
        if message.is_private:
            try:
                if not await self._hub.authorizer.writable(
                    message.topic, identity, seen_headers(request.headers), "broadcast"
                ):
                    return web.json_response(_UNAUTHORIZED, status=403)
            except PolicyError:
                return web.json_response({"message": "RLS policy error"}, status=422)
        self._hub.send(message)
        return web.Response(status=202)

    def _too_many(self, count: int) -> web.Response | None:
        events = self._hub.events
        if not events.exceeded(count):
            return None
        return web.json_response({"message": _RATE_LIMIT if events.exceeded() else _BATCH_LIMIT}, status=429)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else str(request.get(APIKEY) or request.headers.get("apikey", ""))


async def _payload(request: web.Request) -> str | bytes | None:
    """Return the body as the text of a JSON object, or raw bytes; None for another type. MalformedFrameError: no JSON.

    An empty body stands for {}, and what is no object comes under the key `_json`, as from the real server's parser.
    """
    if request.content_type == _BINARY:
        return await request.read()
    if request.content_type != _JSON:
        return None
    text = utf8(await request.read()).strip() or "{}"
    return text if isinstance(parse_json(text), dict) else f'{{"_json":{text}}}'
