"""The meeting point: rooms of channels, their subscriptions, and whether the database can be reached."""

import logging
import time
from collections.abc import Sequence

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.authorization import Authorizer
from supalocal.realtime.broadcast import RoomMessage, from_row
from supalocal.realtime.filters import Binding
from supalocal.realtime.frames import Broadcast
from supalocal.realtime.join import Replay
from supalocal.realtime.limits import Limits, Rate
from supalocal.realtime.replication import MessageRow
from supalocal.realtime.room import Member, Room
from supalocal.realtime.subscriber import Subscriber
from supalocal.realtime.subscriptions import Registry, Subscription, check_bindings, current_snapshot, published_tables
from supalocal.realtime.tokens import Identity, Token, verify

log = logging.getLogger(__name__)
PREFIX = "realtime:"
"""What a channel's name has before it in a topic."""

NO_DATABASE = "Realtime was unable to connect to the project database"


class Hub:
    """Knows every open channel, and counts what all clients do together."""

    def __init__(self, jwt_secret: str, publication: str, authorizer: Authorizer, limits: Limits) -> None:
        self.registry = Registry()
        self.authorizer, self.limits = authorizer, limits
        self.joins, self.events = Rate(limits.joins_per_second), Rate(limits.events_per_second)
        self.changes, self.presence_events = Rate(limits.events_per_second), Rate(limits.presence_events_per_second)
        self.users: set[object] = set()
        self._jwt_secret, self._publication = jwt_secret, publication
        self._rooms: dict[tuple[str, bool], Room] = {}
        self._connection: psycopg.AsyncConnection | None = None
        self._published: frozenset[int] | None = None

    @property
    def is_live(self) -> bool:
        """Whether the database's changes are being streamed; nobody can join meanwhile otherwise."""
        return self._connection is not None

    @property
    def is_full(self) -> bool:
        """Whether as many clients are in channels as may be."""
        return self.limits.users is not None and len(self.users) >= self.limits.users

    def attach(self, connection: psycopg.AsyncConnection) -> None:
        """Serve joins over this connection: the stream runs."""
        self._connection = connection

    def detach(self) -> list[Subscriber]:
        """Refuse joins until attached again; return the channels that have lost changes by it."""
        self._connection = None
        return self.registry.channels()

    def verify(self, token: str) -> Token:
        """Return the accepted token; TokenError otherwise."""
        return verify(token, self._jwt_secret, time.time())

    def enter(self, member: Member, topic: str, *, is_private: bool) -> Room:
        """Let the member into the room of its topic, and return that room."""
        room = self._rooms.setdefault((topic, is_private), Room())
        room.enter(member)
        return room

    def leave(self, member: Member, topic: str, *, is_private: bool) -> None:
        """Take the member out of its room."""
        room = self._rooms.get((topic, is_private))
        if room:
            room.leave(member)
            if room.is_empty:
                self._rooms.pop((topic, is_private), None)

    def send(self, message: RoomMessage) -> None:
        """Send to everyone in the room that the message is for."""
        self.events.add()
        room = self._rooms.get((f"{PREFIX}{message.topic}", message.is_private))
        if room:
            room.broadcast(message.broadcast)

    def send_row(self, row: MessageRow) -> None:
        """Send what the database put into realtime.messages."""
        message = from_row(row)
        if message:
            self.send(message)

    async def replay(self, channel: str, replay: Replay) -> list[Broadcast]:
        """Return past private messages of the channel, oldest first; psycopg.Error without an answer."""
        cursor = await self._live().execute(queries.REPLAYED, [channel, replay.since, replay.limit])
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, values, strict=True)) for values in await cursor.fetchall()]
        found = [from_row(row, is_replayed=True) for row in reversed(rows)]
        return [message.broadcast for message in found if message]

    async def subscribe(self, channel: Subscriber, bindings: Sequence[Binding], identity: Identity) -> None:
        """Return once everything committed from now on reaches the channel; SubscribeError when that cannot be."""
        connection = self._live()
        selected = await check_bindings(connection, self._publication, bindings, identity.role)
        # A channel that renews its subscriptions has missed nothing, and must not now.
        since = None if self.registry.holds(channel) else await current_snapshot(connection)
        if channel.is_open:
            made = enumerate(zip(bindings, selected, strict=True))
            self.registry.replace(
                channel, [Subscription(channel, at, one, identity, tables, since) for at, (one, tables) in made]
            )

    async def follow_publication(self) -> None:
        """Have every channel subscribe anew if other tables are published than when this was last asked."""
        tables = await published_tables(self._live(), self._publication)
        if tables != self._published:
            known, self._published = self._published, tables
            for channel in self.registry.channels() if known is not None else ():
                channel.subscribe()

    def unsubscribe(self, channel: Subscriber) -> None:
        """Drop the channel's subscriptions."""
        self.registry.replace(channel, [])

    async def renew_partitions(self) -> None:
        """Make room for the next days' messages and drop old ones; psycopg.Error when the database refuses."""
        await self._live().execute(queries.RENEW_MESSAGE_PARTITIONS)

    def _live(self) -> psycopg.AsyncConnection:
        if self._connection is None:
            raise psycopg.OperationalError("the replication stream is down")
        return self._connection
