"""The meeting point: rooms of channels, their subscriptions, and whether the database can be reached."""

import time
from collections.abc import Sequence

import psycopg

from supalocal.realtime.channel import Channel
from supalocal.realtime.filters import Binding
from supalocal.realtime.frames import Broadcast
from supalocal.realtime.subscriptions import Registry, Subscription, check_bindings, current_snapshot
from supalocal.realtime.tokens import Identity, Token, verify


class Hub:
    """Knows every open channel."""

    def __init__(self, jwt_secret: str, publication: str) -> None:
        self.registry = Registry()
        self._jwt_secret, self._publication = jwt_secret, publication
        # A dict keeps the order of joining, in which members are served.
        self._rooms: dict[str, dict[Channel, None]] = {}
        self._connection: psycopg.AsyncConnection | None = None

    @property
    def is_live(self) -> bool:
        """Whether the database's changes are being streamed; nobody can join meanwhile otherwise."""
        return self._connection is not None

    def attach(self, connection: psycopg.AsyncConnection) -> None:
        """Serve joins over this connection: the stream runs."""
        self._connection = connection

    def detach(self) -> list[Channel]:
        """Refuse joins until attached again; return the channels that have lost changes by it."""
        self._connection = None
        return self.registry.channels()

    def verify(self, token: str) -> Token:
        """Return the accepted token; TokenError otherwise."""
        return verify(token, self._jwt_secret, time.time())

    def add(self, channel: Channel) -> None:
        """Let the channel into the room of its topic."""
        self._rooms.setdefault(channel.topic, {})[channel] = None

    def remove(self, channel: Channel) -> None:
        """Take the channel out of its room, with its subscriptions."""
        self.unsubscribe(channel)
        room = self._rooms.get(channel.topic, {})
        room.pop(channel, None)
        if not room:
            self._rooms.pop(channel.topic, None)

    async def subscribe(self, channel: Channel, bindings: Sequence[Binding], identity: Identity) -> None:
        """Return once everything committed from now on reaches the channel; SubscribeError when that cannot be."""
        if self._connection is None:
            raise psycopg.OperationalError("the replication stream is down")
        await check_bindings(self._connection, self._publication, bindings, identity.role)
        # A channel that renews its subscriptions has missed nothing, and must not now.
        since = None if self.registry.holds(channel) else await current_snapshot(self._connection)
        if channel.is_open:
            self.registry.replace(
                channel, [Subscription(channel, at, binding, identity, since) for at, binding in enumerate(bindings)]
            )

    def unsubscribe(self, channel: Channel) -> None:
        """Drop the channel's subscriptions."""
        self.registry.replace(channel, [])

    def broadcast(self, topic: str, broadcast: Broadcast, *, leave_out: Channel | None = None) -> None:
        """Send to everyone in the topic's room but one."""
        for channel in list(self._rooms.get(topic, ())):
            if channel is not leave_out:
                channel.send_broadcast(broadcast)
