"""One websocket of a client: reads its frames, keeps its channels, and writes what they send without blocking them."""

import asyncio
import json
import logging
from typing import Any

import aiohttp
from aiohttp import web

from supalocal.realtime import broadcast
from supalocal.realtime.channel import Channel
from supalocal.realtime.frames import Broadcast, Codec, Frame, MalformedFrameError, websocket_frame
from supalocal.realtime.hub import Hub
from supalocal.realtime.join import JoinConfig, announced, parse_join
from supalocal.realtime.tokens import Token, TokenError

log = logging.getLogger(__name__)
IDLE_SECONDS = 60.0
MAX_FRAME_BYTES = 5_000_000
# A reader that falls this far behind is cut off: it would take memory from everyone else.
MAX_WAITING_BYTES = 16_000_000
_UNMATCHED = {"reason": "unmatched topic"}
_NO_NAME = {"reason": "TopicNameRequired: You must provide a topic name"}
_NO_DATABASE = "UnableToConnectToProject: Realtime was unable to connect to the project database"
_NO_REPLAY = "UnableToReplayMessages: Replay is not allowed for public channels"


class Socket:
    """A connected client. Sending never waits: a client that falls too far behind is cut off."""

    def __init__(self, hub: Hub, response: web.WebSocketResponse, request: web.Request, codec: Codec, key: str) -> None:
        self._hub, self._response, self._request, self._codec, self._key = hub, response, request, codec, key
        self._channels: dict[str, Channel] = {}
        self._closing: asyncio.Task[bool] | None = None

    async def run(self) -> None:
        """Serve the client until either side closes."""
        try:
            await self._read()
        finally:
            for channel in list(self._channels.values()):
                channel.discard()
            if self._closing:
                await self._closing

    async def _read(self) -> None:
        while True:
            try:
                message = await self._response.receive(timeout=IDLE_SECONDS)
            except TimeoutError:
                await self._response.close(code=aiohttp.WSCloseCode.OK)
                return
            if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                return
            self._receive(message.data)

    def _receive(self, data: str | bytes) -> None:
        try:
            frame = self._codec.decode(data)
        except MalformedFrameError as exc:
            log.info("ignored a malformed frame: %s", exc)
            return
        if frame.topic == "phoenix" and frame.event == "heartbeat":
            self.reply(frame.topic, frame.ref, "ok", {})
        elif frame.event == "phx_join":
            self._join(frame)
        elif channel := self._channels.get(frame.topic):
            self._push(channel, frame)
        else:
            left = frame.event == "phx_leave"
            self.reply(frame.topic, frame.ref, "ok" if left else "error", {} if left else _UNMATCHED, frame.join_ref)

    def _join(self, frame: Frame) -> None:
        config = parse_join(frame.payload)
        for part in config.unreadable:
            log.info("InvalidJoinPayload: %s of %s cannot be read", part, frame.topic)
        refusal, token = self._refuse(frame.topic, config)
        if token is None:
            self.reply(frame.topic, frame.ref, "error", refusal, frame.join_ref)
            return
        channel, old = (
            Channel(self._hub, self, frame.topic, frame.join_ref, config, token),
            self._channels.get(frame.topic),
        )
        channel.reply(frame.ref, "ok", {"postgres_changes": announced(config.bindings)})
        if old:
            old.close()
        self._channels[frame.topic] = channel
        self._hub.add(channel)
        channel.subscribe()

    def _refuse(self, topic: str, config: JoinConfig) -> tuple[dict[str, str], Token | None]:
        if not topic.startswith("realtime:"):
            return _UNMATCHED, None
        if topic == "realtime:":
            return _NO_NAME, None
        try:
            token = self._hub.verify(
                self._key
                if config.access_token is None or config.access_token.startswith("sb_")
                else config.access_token
            )
        except TokenError as exc:
            return {"reason": exc.at_join}, None
        reason = _unsupported(config) if self._hub.is_live else _NO_DATABASE
        return ({"reason": reason}, None) if reason else ({}, token)

    def _push(self, channel: Channel, frame: Frame) -> None:
        match frame.event:
            case "phx_leave":
                channel.reply(frame.ref, "ok", {})
                channel.close()
            case "access_token":
                token = frame.payload.get("access_token") if isinstance(frame.payload, dict) else None
                if isinstance(token, str):
                    channel.renew(token)
            case "broadcast":
                self._broadcast(channel, frame)
            case "presence":
                channel.reply(frame.ref, "error", {"reason": "presence is not supported by supalocal yet"})
            case event:
                channel.reply(frame.ref, "error", {"reason": f"the event {event} is not supported by supalocal"})

    def _broadcast(self, channel: Channel, frame: Frame) -> None:
        message = broadcast.pushed(frame)
        if message:
            self._hub.broadcast(frame.topic, message, leave_out=None if channel.config.broadcast_self else channel)
        if channel.config.broadcast_ack:
            channel.reply(frame.ref, "ok" if message else "error", {} if message else broadcast.TOO_LARGE)

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
        data = self._codec.encode_broadcast(topic, message)
        if data is None:
            log.info("dropped a broadcast that vsn %s cannot carry", self._codec.vsn)
        else:
            self._send(data)

    def forget(self, channel: Channel) -> None:
        """Drop a channel that closed; one that took its place stays."""
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]

    def disconnect(self, code: int, reason: str) -> None:
        """Close the socket after what was sent."""
        if not self._closing:
            self._closing = asyncio.create_task(self._response.close(code=code, message=reason.encode()))

    def _send(self, data: str | bytes) -> None:
        """Write a frame past aiohttp's awaited senders: one send to fifty sockets would wake fifty tasks."""
        transport = self._request.transport
        if transport is None or transport.is_closing() or self._response.closed or self._closing:
            return
        waiting = transport.get_write_buffer_size()
        if waiting > MAX_WAITING_BYTES:
            # A close frame could not be written past what is stuck.
            log.warning("cut off a client that does not read: %d bytes wait for it", waiting)
            transport.abort()
            return
        transport.write(websocket_frame(data))

    def abort(self) -> None:
        """End the connection at once."""
        if self._request.transport:
            self._request.transport.abort()


def _unsupported(config: JoinConfig) -> str | None:
    """Return why supalocal refuses the join; what it lacks is named."""
    if config.private:
        return "Unsupported: private channels are not supported by supalocal yet"
    if config.presence_enabled:
        return "Unsupported: presence is not supported by supalocal yet"
    if config.replication_ready:
        return "Unsupported: broadcast.replication_ready is not supported by supalocal yet"
    return _NO_REPLAY if config.replay else None
