"""One joined channel of one socket: its token, what it pushes, and what it is sent."""

import asyncio
import json
import logging
import time
import uuid
from enum import StrEnum
from typing import Any, Protocol

import psycopg

from supalocal.realtime import broadcast
from supalocal.realtime.admission import Admission
from supalocal.realtime.authorization import UnauthorizedError
from supalocal.realtime.filters import BindingError, parse_binding
from supalocal.realtime.frames import Broadcast, Frame
from supalocal.realtime.hub import NO_DATABASE, PREFIX, Hub
from supalocal.realtime.join import JoinConfig
from supalocal.realtime.limits import Allowance
from supalocal.realtime.subscriptions import SubscribeError
from supalocal.realtime.tokens import ExpiredTokenError, TokenError

log = logging.getLogger(__name__)
SUBSCRIBED = "Subscribed to PostgreSQL"
REPLICATION_READY = "Replication connection established"


class Outlet(Protocol):
    """The socket, as its channels know it. All sending is immediate: it puts a frame into the socket's queue."""

    def reply(self, topic: str, ref: str | None, status: str, response: Any, join_ref: str | None = None) -> None:
        """Answer a push of the client."""

    def send_event(
        self, topic: str, event: str, body: str, ref: str | None = None, join_ref: str | None = None
    ) -> None:
        """Push an event; `body` is JSON text."""

    def send_broadcast(self, topic: str, message: Broadcast) -> None:
        """Push a broadcast, if the framing can carry it."""

    def forget(self, channel: "Channel") -> None:
        """Drop a channel that closed."""

    def disconnect(self, code: int, reason: str) -> None:
        """Close the socket after what was sent."""


class ChannelState(StrEnum):
    """Where a channel is in its life."""

    JOINED = "joined"
    """Answered; it gets what it is due."""
    CLOSED = "closed"
    """Left, shut or replaced; it gets nothing more."""


class Channel:
    """A member of a room, from the answered join on."""

    def __init__(
        self, hub: Hub, socket: Outlet, topic: str, join_ref: str | None, config: JoinConfig, admission: Admission
    ) -> None:
        self.topic, self.name, self.join_ref = topic, topic.removeprefix(PREFIX), join_ref
        self._config, self._access, self._token = config, admission.access, admission.token
        self._hub, self._socket = hub, socket
        self._state = ChannelState.JOINED
        self._presence_key = config.presence_key or str(uuid.uuid4())
        self._presence_calls = Allowance(hub.limits.presence_calls, hub.limits.presence_window_seconds)
        self._replayed = {message.id for message in admission.replayed}
        self._subscribing: asyncio.Task[None] | None = None
        self._expiry = self._watch_expiry()
        self._room = hub.enter(self, topic, is_private=config.private)
        self._welcome(admission.replayed)

    @property
    def is_open(self) -> bool:
        """Whether the channel still gets anything."""
        return self._state is ChannelState.JOINED

    def _welcome(self, replayed: list[Broadcast]) -> None:
        for message in replayed:
            self._socket.send_broadcast(self.topic, message)
        if self._config.replication_ready:
            self._send_system("system", "ok", REPLICATION_READY)
        if self._config.presence_enabled:
            self._send_presence_state()
        self.subscribe()

    def subscribe(self) -> None:
        """Start making the subscriptions; a `system` message tells the client how it went."""
        if self._subscribing:
            self._subscribing.cancel()
        if self._config.bindings:
            self._subscribing = asyncio.create_task(self._make_subscriptions())

    async def _make_subscriptions(self) -> None:
        try:
            bindings = [parse_binding(raw) for raw in self._config.bindings]
            await self._hub.subscribe(self, bindings, self._token.identity)
        except (BindingError, SubscribeError) as exc:
            self._hub.unsubscribe(self)
            self._send_system("postgres_changes", "error", str(exc))
        except (psycopg.Error, OSError) as exc:
            # The stream breaks with the database, and its loss closes the socket: the client joins again.
            log.warning("could not subscribe %s: %s", self.name, exc)
            self._send_system("postgres_changes", "error", f"{NO_DATABASE}: {exc}")
        else:
            self._send_system("postgres_changes", "ok", SUBSCRIBED)

    async def push(self, frame: Frame) -> None:
        """Do what the client asks for."""
        match frame.event:
            case "phx_leave":
                self._reply(frame, "ok")
                self.close()
            case "access_token":
                await self._renew(frame.payload)
            case "broadcast":
                await self._broadcast(frame)
            case "presence":
                await self._presence(frame)
            case event:
                self._hub.events.add()
                log.info("ignored the unknown event %s on %s", event, self.name)

    async def _renew(self, payload: Any) -> None:
        """Take over a new token, or shut the channel when it is refused; no reply either way."""
        text = payload.get("access_token") if isinstance(payload, dict) else None
        if not isinstance(text, str) or text.startswith("sb_") or text == self._token.text:
            return
        try:
            self._token = self._hub.verify(text)
            await self._access.grant(self._token.identity, with_presence=self._config.presence_enabled)
        except TokenError as exc:
            self.shut(exc.in_channel)
        except UnauthorizedError as exc:
            self.shut(str(exc))
        except psycopg.OperationalError as exc:
            log.warning("could not authorize %s anew: %s", self.name, exc)
            self.shut(NO_DATABASE)
        if self.is_open:
            self._expiry.cancel()
            self._expiry = self._watch_expiry()
            self.subscribe()

    def _watch_expiry(self) -> asyncio.TimerHandle:
        delay = max(self._token.expires_at - time.time(), 0)
        return asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        over = int(time.time() - self._token.expires_at)
        self.shut(ExpiredTokenError(max(over, 0)).in_channel)

    async def _broadcast(self, frame: Frame) -> None:
        try:
            may_write = await self._access.writes("broadcast")
        except psycopg.OperationalError as exc:
            log.warning("could not authorize a broadcast to %s: %s", self.name, exc)
            return
        if not may_write or not self.is_open:
            return
        self._hub.events.add()
        message = broadcast.pushed(frame, self._hub.limits.payload_bytes)
        if message:
            self._room.broadcast(message, leave_out=None if self._config.broadcast_self else self)
        if self._config.broadcast_ack:
            self._reply(frame, "ok" if message else "error", {} if message else broadcast.TOO_LARGE)

    async def _presence(self, frame: Frame) -> None:
        payload = frame.payload if isinstance(frame.payload, dict) else {}
        if "event" not in payload:
            self._reply(frame, "ok")
            return
        if not self._presence_calls.take():
            self.shut("Client presence rate limit exceeded")
            return
        match str(payload["event"]).lower():
            case "track":
                await self._track(frame, payload.get("payload", {}))
            case "untrack":
                self._reply(frame, "ok")
                self._room.untrack(self)
            case event:
                log.info("UnknownPresenceEvent: %s on %s", event, self.name)
                self._reply(frame, "error")

    async def _track(self, frame: Frame, told: Any) -> None:
        if not await self._may_track():
            self._reply(frame, "error")
        elif not isinstance(told, dict):
            self._reply(frame, "error", {"reason": "Presence track payload must be a map"})
        elif len(json.dumps(told, ensure_ascii=False).encode()) > self._hub.limits.payload_bytes:
            self.shut("Track message size exceeded")
        elif self._hub.presence_events.exceeded():
            self.shut("Too many presence messages per second")
        elif self.is_open:
            self._hub.presence_events.add()
            self._reply(frame, "ok")
            self._room.track(self, self._presence_key, told)

    async def _may_track(self) -> bool:
        try:
            await self._access.enable_presence()
            return await self._access.writes("presence")
        except psycopg.OperationalError as exc:
            log.warning("could not authorize presence in %s: %s", self.name, exc)
            return False

    def _reply(self, frame: Frame, status: str, response: Any = None) -> None:
        self._socket.reply(self.topic, frame.ref, status, {} if response is None else response, self.join_ref)

    def _send_system(self, extension: str, status: str, message: str) -> None:
        if self.is_open:
            body = {"extension": extension, "status": status, "message": message, "channel": self.name}
            self._socket.send_event(self.topic, "system", json.dumps(body), join_ref=self.join_ref)

    def _send_presence_state(self) -> None:
        if self._access.reads_presence:
            self._hub.presence_events.add()
            self._socket.send_event(self.topic, "presence_state", self._room.presence_state, join_ref=self.join_ref)

    def send_change(self, ids: list[int], data: str) -> None:
        """Send a change; `data` is JSON text. Past the project's events per second it is dropped, as on hosted."""
        if self.is_open and not self._hub.changes.exceeded():
            self._hub.changes.add()
            body = f'{{"ids":[{",".join(map(str, ids))}],"data":{data}}}'
            self._socket.send_event(self.topic, "postgres_changes", body)

    def send_broadcast(self, message: Broadcast) -> None:
        """Send a broadcast that the channel may read, unless it was replayed or the framing cannot carry it."""
        if not self.is_open or not self._access.reads_broadcasts or (message.id and message.id in self._replayed):
            return
        self._hub.events.add()
        self._socket.send_broadcast(self.topic, message)
        if self._hub.events.exceeded():
            self.shut("Too many messages per second")

    def send_presence_diff(self, diff: str) -> None:
        """Send who came and went, if the channel may know; `diff` is JSON text."""
        if self.is_open and self._access.reads_presence:
            self._hub.presence_events.add()
            self._socket.send_event(self.topic, "presence_diff", diff)

    def shut(self, message: str) -> None:
        """Close the channel from the server's side, saying why."""
        self._send_system("system", "error", message)
        self.close()

    def close(self) -> None:
        """Close the channel and tell the client."""
        if self.is_open:
            self.discard()
            self.send_closed()

    def send_closed(self) -> None:
        """Tell the client that the channel is closed."""
        self._socket.send_event(self.topic, "phx_close", "{}", ref=self.join_ref, join_ref=self.join_ref)

    def crash(self) -> None:
        """Close the channel after an error of ours; the client joins again."""
        if self.is_open:
            self.discard()
            self._socket.send_event(self.topic, "phx_error", "{}", ref=self.join_ref, join_ref=self.join_ref)

    def discard(self) -> None:
        """Close the channel without a word: its socket is gone, or the channel is replaced."""
        self._state = ChannelState.CLOSED
        self._expiry.cancel()
        if self._subscribing:
            self._subscribing.cancel()
        self._hub.unsubscribe(self)
        self._hub.leave(self, self.topic, is_private=self._config.private)
        self._socket.forget(self)

    def disconnect(self, code: int, reason: str) -> None:
        """Close the whole socket, so that the client connects and joins again."""
        self._socket.disconnect(code, reason)
