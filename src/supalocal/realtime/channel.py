"""One joined channel of one socket: its token, its subscriptions and what it is sent."""

import asyncio
import json
import logging
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import psycopg

from supalocal.realtime.filters import BindingError, parse_binding
from supalocal.realtime.frames import Broadcast
from supalocal.realtime.join import JoinConfig
from supalocal.realtime.subscriptions import SubscribeError
from supalocal.realtime.tokens import ExpiredTokenError, Token, TokenError

if TYPE_CHECKING:
    from supalocal.realtime.hub import Hub
    from supalocal.realtime.socket import Socket

log = logging.getLogger(__name__)
SUBSCRIBED = "Subscribed to PostgreSQL"


class ChannelState(StrEnum):
    """Where a channel is in its life."""

    JOINED = "joined"
    """Answered; it gets what it is due."""
    CLOSED = "closed"
    """Left, shut or replaced; it gets nothing more."""


class Channel:
    """A member of a room. All sending is immediate: it puts a frame into its socket's queue."""

    def __init__(
        self, hub: "Hub", socket: "Socket", topic: str, join_ref: str | None, config: JoinConfig, token: Token
    ) -> None:
        self.topic, self.name, self.join_ref, self.config = topic, topic.removeprefix("realtime:"), join_ref, config
        self._hub, self._socket, self._token = hub, socket, token
        self._state = ChannelState.JOINED
        self._subscribing: asyncio.Task[None] | None = None
        self._expiry = self._watch_expiry()

    @property
    def is_open(self) -> bool:
        """Whether the channel still gets anything."""
        return self._state is ChannelState.JOINED

    def subscribe(self) -> None:
        """Start making the subscriptions; a `system` message tells the client how it went."""
        if self._subscribing:
            self._subscribing.cancel()
        if self.config.bindings:
            self._subscribing = asyncio.create_task(self._subscribe())

    async def _subscribe(self) -> None:
        try:
            bindings = [parse_binding(raw) for raw in self.config.bindings]
            await self._hub.subscribe(self, bindings, self._token.identity)
        except (BindingError, SubscribeError) as exc:
            self._hub.unsubscribe(self)
            self.send_system("postgres_changes", "error", str(exc))
        except (psycopg.Error, OSError) as exc:
            # The stream breaks with the database, and its loss closes the socket: the client joins again.
            log.warning("could not subscribe %s: %s", self.name, exc)
            self.send_system(
                "postgres_changes", "error", f"Realtime was unable to connect to the project database: {exc}"
            )
        else:
            self.send_system("postgres_changes", "ok", SUBSCRIBED)

    def renew(self, text: str) -> None:
        """Take over a new token, or shut the channel when it is refused; no reply either way."""
        if text.startswith("sb_") or text == self._token.text:
            return
        try:
            self._token = self._hub.verify(text)
        except TokenError as exc:
            self.shut(exc.in_channel)
            return
        self._expiry.cancel()
        self._expiry = self._watch_expiry()
        self.subscribe()

    def _watch_expiry(self) -> asyncio.TimerHandle:
        delay = max(self._token.expires_at - time.time(), 0)
        return asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        over = int(time.time() - self._token.expires_at)
        self.shut(ExpiredTokenError(max(over, 0)).in_channel)

    def reply(self, ref: str | None, status: str, response: Any) -> None:
        """Answer a push of the client."""
        self._socket.reply(self.topic, ref, status, response, join_ref=self.join_ref)

    def send_system(self, extension: str, status: str, message: str) -> None:
        """Send a `system` message."""
        if self.is_open:
            body = {"extension": extension, "status": status, "message": message, "channel": self.name}
            self._socket.send_event(self.topic, "system", json.dumps(body), join_ref=self.join_ref)

    def send_change(self, ids: list[int], data: str) -> None:
        """Send a change; `data` is JSON text."""
        if self.is_open:
            body = f'{{"ids":[{",".join(map(str, ids))}],"data":{data}}}'
            self._socket.send_event(self.topic, "postgres_changes", body)

    def send_broadcast(self, broadcast: Broadcast) -> None:
        """Send a broadcast, unless the socket's framing cannot carry it."""
        if self.is_open:
            self._socket.send_broadcast(self.topic, broadcast)

    def shut(self, message: str) -> None:
        """Close the channel from the server's side, saying why."""
        self.send_system("system", "error", message)
        self.close()

    def close(self) -> None:
        """Close the channel and tell the client."""
        if self.is_open:
            self.discard()
            self._socket.send_event(self.topic, "phx_close", "{}", ref=self.join_ref, join_ref=self.join_ref)

    def discard(self) -> None:
        """Close the channel without a word: its socket is gone."""
        self._state = ChannelState.CLOSED
        self._expiry.cancel()
        if self._subscribing:
            self._subscribing.cancel()
        self._hub.remove(self)
        self._socket.forget(self)

    def disconnect(self, code: int, reason: str) -> None:
        """Close the whole socket, so that the client connects and joins again."""
        self._socket.disconnect(code, reason)
