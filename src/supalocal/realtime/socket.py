"""One websocket of a client: reads its frames, keeps its channels, and writes what they send without blocking them."""

import asyncio
import json
import logging
from typing import Any

import aiohttp
from aiohttp import web

from supalocal.realtime.admission import UNMATCHED, RefusedError, Visitor, admit
from supalocal.realtime.channel import Channel
from supalocal.realtime.frames import (
    Broadcast,
    Codec,
    Frame,
    MalformedFrameError,
    broadcast_wire,
    websocket_frame,
)
from supalocal.realtime.hub import Hub
from supalocal.realtime.join import announced, parse_join

log = logging.getLogger(__name__)


class Socket:
    """A connected client. Sending never waits: a client that falls too far behind is cut off."""

    def __init__(self, hub: Hub, response: web.WebSocketResponse, request: web.Request, codec: Codec, key: str) -> None:
        self._hub, self._response, self._request, self._codec, self._key = hub, response, request, codec, key
        self._channels: dict[str, Channel] = {}
        self._closing: asyncio.Task[bool] | None = None
        self._lonely: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serve the client until either side closes."""
        try:
            self._watch_channels()
            await self._read()
        finally:
            for channel in list(self._channels.values()):
                channel.discard()
            self._hub.users.discard(self)
            if self._lonely:
                self._lonely.cancel()
            if self._closing:
                await self._closing

    async def _read(self) -> None:
        while True:
            try:
                message = await self._response.receive(timeout=self._hub.limits.idle_seconds)
            except TimeoutError:
                await self._response.close(code=aiohttp.WSCloseCode.OK)
                return
            if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                return
            await self._receive(message.data)

    async def _receive(self, data: str | bytes) -> None:
        try:
            frame = self._codec.decode(data)
        except MalformedFrameError as exc:
            log.info("ignored a malformed frame: %s", exc)
            return
        try:
            await self._handle(frame)
        except Exception:
            # A defect of ours costs one channel, as a crash of its process does on the real server.
            log.exception("a channel crashed at the event %s", frame.event)
            if channel := self._channels.get(frame.topic):
                channel.crash()

    async def _handle(self, frame: Frame) -> None:
        if frame.topic == "phoenix" and frame.event == "heartbeat":
            self.reply(frame.topic, frame.ref, "ok", {})
        elif frame.event == "phx_join":
            await self._join(frame)
        elif channel := self._channels.get(frame.topic):
            await channel.push(frame)
        elif frame.event == "phx_leave":
            self.reply(frame.topic, frame.ref, "ok", {}, frame.join_ref)
        else:
            self.reply(frame.topic, frame.ref, "error", {"reason": UNMATCHED}, frame.join_ref)

    async def _join(self, frame: Frame) -> None:
        """Answer a join. A channel that it replaces is gone before, and told so after the answer."""
        old = self._channels.get(frame.topic)
        if old:
            old.discard()
        try:
            await self._open_channel(frame, old)
        except RefusedError as exc:
            await self._refuse(frame, old, exc)

    async def _open_channel(self, frame: Frame, old: Channel | None) -> None:
        config = parse_join(frame.payload)
        for part in config.unreadable:
            log.info("InvalidJoinPayload: %s of %s cannot be read", part, frame.topic)
        visitor = Visitor(self, self._key, self._request.headers, len(self._channels))
        admission = await admit(self._hub, visitor, frame.topic, config)
        self._hub.users.add(self)
        response = {"postgres_changes": announced(config.bindings)}
        self.reply(frame.topic, frame.ref, "ok", response, frame.join_ref)
        if old:
            old.send_closed()
        self._channels[frame.topic] = Channel(self._hub, self, frame.topic, frame.join_ref, config, admission)
        self._watch_channels()

    async def _refuse(self, frame: Frame, old: Channel | None, refusal: RefusedError) -> None:
        if refusal.pauses:
            await asyncio.sleep(self._hub.limits.join_pause_seconds)
        self.reply(frame.topic, frame.ref, "error", {"reason": refusal.reason}, frame.join_ref)
        if old:
            old.send_closed()
        if refusal.closes_socket:
            self.disconnect(aiohttp.WSCloseCode.GOING_AWAY, "")

    def _watch_channels(self) -> None:
        """End a connection without channels after a while, as the real server does: without a close frame."""
        if self._lonely:
            self._lonely.cancel()
            self._lonely = None
        if not self._channels:
            self._lonely = asyncio.get_running_loop().call_later(self._hub.limits.no_channel_seconds, self.abort)

    def reply(self, topic: str, ref: str | None, status: str, response: Any, join_ref: str | None = None) -> None:
        """Answer one frame of the client."""
        body = json.dumps({"status": status, "response": response}, ensure_ascii=False)
        self._send(self._codec.encode(topic, "phx_reply", body, ref=ref, join_ref=join_ref))

    def send_event(
        self, topic: str, event: str, body: str, ref: str | None = None, join_ref: str | None = None
    ) -> None:
        """Push an event; `body` is JSON text."""
        self._send(self._codec.encode(topic, event, body, ref=ref, join_ref=join_ref))

    def send_broadcast(self, topic: str, message: Broadcast) -> None:
        """Push a broadcast, if this framing can carry it."""
        wire = broadcast_wire(self._codec, topic, message)
        if wire is None:
            log.info("dropped a broadcast that vsn %s cannot carry", self._codec.vsn)
        else:
            self._write(wire)

    def forget(self, channel: Channel) -> None:
        """Drop a channel that closed; one that took its place stays."""
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]
            self._watch_channels()

    def disconnect(self, code: int, reason: str) -> None:
        """Close the socket after what was sent."""
        if not self._closing:
            self._closing = asyncio.create_task(self._response.close(code=code, message=reason.encode()))

    def say_goodbye(self) -> None:
        """Close the socket because the server stops, as the real one does when it is drained."""
        body = json.dumps({"extension": "system", "status": "ok", "message": "Server requested disconnect"})
        for channel in self._channels.values():
            self.send_event(channel.topic, "system", body, join_ref=channel.join_ref)
        self.disconnect(aiohttp.WSCloseCode.SERVICE_RESTART, "the server shuts down")

    def _send(self, text: str) -> None:
        self._write(websocket_frame(text))

    def _write(self, wire: bytes) -> None:
        """Write a frame past aiohttp's awaited senders: one send to fifty sockets would wake fifty tasks."""
        transport = self._request.transport
        if transport is None or transport.is_closing() or self._response.closed or self._closing:
            return
        waiting = transport.get_write_buffer_size()
        if waiting > self._hub.limits.waiting_bytes:
            # A close frame could not be written past what is stuck.
            log.warning("cut off a client that does not read: %d bytes wait for it", waiting)
            transport.abort()
            return
        transport.write(wire)

    def abort(self) -> None:
        """End the connection at once."""
        if self._request.transport:
            self._request.transport.abort()
