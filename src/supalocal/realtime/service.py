"""Realtime as a whole: the stream from the database, kept alive, and the doors for sockets and REST broadcasts."""

import asyncio
import contextlib
import json
import logging
from typing import Any, Literal

import psycopg
from aiohttp import WSCloseCode, web

from supalocal.apikey import APIKEY
from supalocal.realtime import queries
from supalocal.realtime.broadcast import BatchError, RoomMessage, parse_batch
from supalocal.realtime.channel import Channel
from supalocal.realtime.delivery import Delivery
from supalocal.realtime.frames import Codec
from supalocal.realtime.hub import Hub
from supalocal.realtime.replication import ChangeStream, StreamLostError
from supalocal.realtime.socket import MAX_FRAME_BYTES, Socket
from supalocal.realtime.tokens import TokenError

log = logging.getLogger(__name__)
FIRST_RETRY_SECONDS = 0.05
LONGEST_RETRY_SECONDS = 1.0
GOODBYE_SECONDS = 1.0
_VERSIONS: tuple[Literal["1.0.0"], Literal["2.0.0"]] = ("1.0.0", "2.0.0")


class Realtime:
    """Serves Realtime for one database.

    `dsn` logs in as a superuser of a database on which bootstrap/realtime.sql has run.
    """

    def __init__(self, *, dsn: str, jwt_secret: str, publication: str = "supabase_realtime") -> None:
        self._dsn, self._publication = dsn, publication
        self._hub = Hub(jwt_secret, publication)
        self._task: asyncio.Task[None] | None = None
        self._open = contextlib.AsyncExitStack()
        self._served: dict[Socket, asyncio.Future[None]] = {}

    async def start(self) -> None:
        """Return once changes are streamed; psycopg.Error when the database does not let us."""
        stream, delivery = await self._connect()
        self._task = asyncio.create_task(self._run(stream, delivery), name="supalocal realtime")

    async def close(self) -> None:
        """Close every socket and connection."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._hub.detach()
        await self._close_sockets()
        await self._open.aclose()

    async def _close_sockets(self) -> None:
        for socket in self._served:
            socket.disconnect(WSCloseCode.SERVICE_RESTART, "the server shuts down")
        if self._served:
            await asyncio.wait(self._served.values(), timeout=GOODBYE_SECONDS)
        for socket in self._served:
            socket.abort()

    async def _connect(self) -> tuple[ChangeStream, Delivery]:
        async with contextlib.AsyncExitStack() as opened:
            delivering, subscribing = [await self._session(opened) for _ in range(2)]
            await delivering.execute(queries.MIRROR_PUBLICATION, [self._publication])
            registry = self._hub.registry
            stream = await ChangeStream.open(
                self._dsn,
                [queries.MIRROR_PREFIX + self._publication],
                lambda relation: bool(registry.matching(relation.schema, relation.name)),
            )
            opened.push_async_callback(stream.close)
            self._open = opened.pop_all()
        self._hub.attach(subscribing)
        return stream, Delivery(delivering, registry)

    async def _session(self, opened: contextlib.AsyncExitStack) -> psycopg.AsyncConnection:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, options=queries.SETTINGS, application_name="supalocal realtime"
        )
        opened.push_async_callback(connection.close)
        return connection

    async def _run(self, stream: ChangeStream, delivery: Delivery) -> None:
        """Deliver for ever; after a loss connect anew, with a new slot, and make the clients join again."""
        while True:
            try:
                await _deliver(stream, delivery)
            except (StreamLostError, psycopg.OperationalError) as exc:
                log.warning("lost the database: %s", exc)
            except Exception:
                # A defect of ours must not end all delivery unheard: the clients join again, on a new stream.
                log.exception("lost the stream of changes")
            missed = self._hub.detach()
            await self._open.aclose()
            stream, delivery = await self._reconnect(missed)

    async def _reconnect(self, missed: list[Channel]) -> tuple[ChangeStream, Delivery]:
        delay = FIRST_RETRY_SECONDS
        while True:
            try:
                return await self._connect()
            except psycopg.Error as exc:
                log.info("the database is not back yet: %s", exc)
            finally:
                # After the first try: a client that comes back at once then finds the database there, if it is.
                _disconnect(missed)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY_SECONDS)

    async def handle_socket(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket; the query's `vsn` picks the framing, 1.0.0 when absent."""
        version = request.query.get("vsn", _VERSIONS[0])
        codec = next((Codec(known) for known in _VERSIONS if known == version), None)
        if codec is None:
            return web.Response(status=403)
        key = request.get(APIKEY) or request.query.get("apikey")
        if not key:
            return _error(401, "API key is missing")
        try:
            self._hub.verify(key)
        except TokenError as exc:
            return _error(401, exc.at_handshake)
        return await self._serve(request, codec, key)

    async def _serve(self, request: web.Request, codec: Codec, key: str) -> web.StreamResponse:
        response = web.WebSocketResponse(compress=False, max_msg_size=MAX_FRAME_BYTES)
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
        """Send a batch of REST broadcasts: 202 with an empty body, or what is wrong with it."""
        try:
            self._hub.verify(_bearer(request))
            messages = parse_batch(await _body(request))
        except TokenError:
            return web.json_response({"message": "Unauthorized"}, status=401)
        except BatchError as exc:
            return web.json_response(exc.errors, status=422)
        if any(message.is_private for message in messages):
            return web.json_response({"message": "private channels are not supported by supalocal yet"}, status=501)
        self._broadcast(messages)
        return web.Response(status=202)

    def _broadcast(self, messages: list[RoomMessage]) -> None:
        for message in messages:
            self._hub.broadcast(f"realtime:{message.topic}", message.broadcast)


async def _deliver(stream: ChangeStream, delivery: Delivery) -> None:
    async for batch in stream.batches():
        try:
            await delivery.deliver(batch)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as exc:
            log.error("lost %d changes for everyone: %s", len(batch.changes), exc)  # noqa: TRY400 - no defect of ours
        except Exception:
            log.exception("lost %d changes for everyone", len(batch.changes))


def _disconnect(channels: list[Channel]) -> None:
    for channel in channels:
        channel.disconnect(WSCloseCode.SERVICE_RESTART, "the replication stream was lost")
    channels.clear()


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else str(request.get(APIKEY) or request.headers.get("apikey", ""))


async def _body(request: web.Request) -> Any:
    try:
        return await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
