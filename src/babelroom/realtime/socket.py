"""One websocket of the realtime library, used once: whatever goes wrong with it, a new one takes its place.

The library's own repairs are off, as they end after a few attempts; the reading is ours, as an exception in a callback
would end the library's for good; it sends heartbeats and never looks for their answers. Only this module touches it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Generic, TypeVar
from uuid import uuid4

from realtime import AsyncRealtimeChannel, AsyncRealtimeClient, RealtimePostgresChangesListenEvent
from realtime._async.push import AsyncPush
from realtime.message import ServerMessageAdapter, SuccessSystemPayload
from realtime.types import (
    PHOENIX_CHANNEL,
    BroadcastPayload,
    ChannelEvents,
    PostgresChangesPayload,
    RealtimeAcknowledgementStatus,
    RealtimeSubscribeStates,
)
from websockets.asyncio.client import ClientConnection

logger = logging.getLogger("babelroom")

# It tells as an error that it gives up, where we go on: what happened is in the states, and logged by us.
logging.getLogger("realtime._async.client").setLevel(logging.CRITICAL)

_GOODBYE = 1.0
"""Seconds that a socket which works may take to close in order."""

_NEVER = 10**9
"""Seconds between the library's own heartbeats, whose answers it ignores."""

# A `system` error is not retried by the server, nor is a bad token; any other refusal may be a passing one.
_FINAL = ('"extension"', "JWT", "Jwt", "Unauthorized", "PrivateOnly")


# A topic that others know is open to them: nobody here listens to their presence, which the library would collect.
_UNHEARD = (ChannelEvents.presence_state, ChannelEvents.presence_diff)

_ENDS = (ChannelEvents.close, ChannelEvents.error)

Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a row, as Realtime tells it."""

    record: dict[str, Any]
    """The new row, perhaps without some columns; empty for a DELETE."""
    has_errors: bool = False


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What somebody has sent to a topic: anybody can who has the public key."""

    payload: dict[str, Any]


class Subject(Generic[Event]):
    """What a channel is about, and so which events it tells."""


@dataclass(frozen=True, slots=True)
class Rows(Subject[Change]):
    """The rows of a table that pass a filter."""

    table: str
    row_filter: str

    def __str__(self) -> str:
        return f"{self.table}, {self.row_filter}"


@dataclass(frozen=True, slots=True)
class Broadcasts(Subject[Broadcast]):
    """What is sent to a public topic under the name of an event."""

    topic: str
    event: str

    def __str__(self) -> str:
        return self.topic


class Word(Enum):
    FLOWING = auto()
    """Events flow from here on; it may come again."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A channel or a socket is of no use any more."""

    reason: str
    is_refusal: bool = False
    """Whether the server said no, rather than nothing."""


class Socket:
    """A websocket that is opened once, and watched over until it is lost."""

    def __init__(self, url: str, key: str, *, timeout: int, events_per_second: int) -> None:
        self._client = AsyncRealtimeClient(
            url,
            key,
            auto_reconnect=False,
            max_retries=1,
            hb_interval=_NEVER,
            timeout=timeout,
            params={"eventsPerSecond": events_per_second},
        )
        self._key = key
        # The topic of the socket itself, where heartbeats are answered.
        self._phoenix = AsyncRealtimeChannel(self._client, PHOENIX_CHANNEL)
        self._client.channels[PHOENIX_CHANNEL] = self._phoenix
        self._reading: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[Lost] = asyncio.get_running_loop().create_future()

    async def open(self, *, heartbeat_interval: float) -> None:
        """Connect, and watch over the connection from here on.

        Raises:
            Exception: whatever the library meets.
        """
        await self._client.connect()
        connection, reading = self._client._ws_connection, self._client._listen_task  # noqa: SLF001
        if connection is None or reading is None:
            raise ConnectionError("The connection ended while it was being opened.")
        reading.cancel()  # not yet begun: ours takes its place
        self._reading = asyncio.create_task(self._read(connection), name="babelroom reading")
        self._reading.add_done_callback(self._take_end)
        self._beating = asyncio.create_task(self._beat(heartbeat_interval), name="babelroom heartbeat")

    @property
    def is_lost(self) -> bool:
        return self._lost.done()

    async def ended(self) -> Lost:
        """Return when it must be replaced."""
        return await asyncio.shield(self._lost)

    def join(self, subject: Subject[Event], token: str | None, on_event: Callable[[Event], None]) -> Member:
        """Start to listen to what happens to the subject, by this token or else by the key."""
        self._client.access_token = token or self._key
        match subject:
            case Rows():
                # A topic of its own: the library hands out one channel per topic, and it can be subscribed once.
                return RowsMember(self._client.channel(f"{subject.table}-{uuid4().hex}"), subject, on_event)
            case Broadcasts():
                # The topic that others know. Whoever listened to it here before is leaving it, or has left.
                return BroadcastsMember(self._client.channel(subject.topic), subject, on_event)
            case _:
                raise TypeError(f"A channel is about Rows or Broadcasts. Got {subject!r}.")

    async def renew_token(self, token: str) -> None:
        """Have the server go on by this token on every channel."""
        await self._client.set_auth(token)

    def lose(self, reason: str) -> None:
        """Say that it must be replaced."""
        if not self.is_lost:
            self._lost.set_result(Lost(reason))

    async def close(self) -> None:
        """Close it, in order if it still works; nothing of it stays behind."""
        # The library waits up to 10 s for a peer that is gone, and its tasks then outlive whoever lost patience.
        connection = self._client._ws_connection  # noqa: SLF001
        for task in (self._beating, self._reading):
            if task is not None:
                task.cancel()
        try:
            if not self.is_lost:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_GOODBYE):
                        await self._client.close()
        finally:
            self.lose("It was closed.")
            if connection is not None:
                connection.transport.abort()
            for channel in [*self._client.channels.values(), self._phoenix]:
                _release(channel)
            await self._client.close()

    async def _read(self, connection: ClientConnection) -> None:
        """Hand on each frame. The library's own reading takes most of a change's time on its way to prove its shape."""
        async for frame in connection:
            event = None
            try:
                message = json.loads(frame)
                event, channel = message["event"], self._client.channels.get(message["topic"])
                if channel is None or event in _UNHEARD or _is_of_the_one_before(message, channel):
                    continue
                if event == ChannelEvents.postgres_changes:
                    for callback in channel.postgres_changes_callbacks:
                        callback(message["payload"])
                else:
                    channel._handle_message(ServerMessageAdapter.validate_json(frame))  # noqa: SLF001
            except (ValueError, LookupError, TypeError, RecursionError) as error:
                logger.warning("A frame that Realtime sent could not be read: %r", error)
                if event == ChannelEvents.postgres_changes:
                    self.lose(f"A change could not be read: {error!r}.")

    def _take_end(self, reading: asyncio.Task[None]) -> None:
        error = None if reading.cancelled() else reading.exception()
        self.lose("The connection ended." if error is None else f"Reading the connection failed: {error!r}.")

    async def _beat(self, interval: float) -> None:
        """A heartbeat is answered before the next one is due, or the socket is lost: seen within two of them."""
        try:
            while True:
                await asyncio.sleep(interval)
                await self._heartbeat(interval)
        except TimeoutError:
            self.lose(f"A heartbeat was not answered within {interval:g} s.")
        except Exception as error:  # noqa: BLE001  a socket that cannot send is lost, whatever the library says
            self.lose(f"A heartbeat could not be sent: {error!r}.")

    async def _heartbeat(self, within: float) -> None:
        answered = asyncio.Event()
        push = AsyncPush(self._phoenix, ChannelEvents.heartbeat, {}, math.ceil(within))
        push.receive(RealtimeAcknowledgementStatus.Ok, lambda _: answered.set())
        push.receive(RealtimeAcknowledgementStatus.Error, lambda _: answered.set())
        try:
            async with asyncio.timeout(within):
                await push.send()
                await answered.wait()
        finally:
            push.destroy()


class Member:
    """One channel on one socket, until the server or the socket ends it."""

    def __init__(self, channel: AsyncRealtimeChannel, on_event: Callable[[Any], None]) -> None:
        self._on_event = on_event
        self._words: asyncio.Queue[Word | Lost] = asyncio.Queue()
        self._has_left = False
        self._channel = channel

    async def join(self) -> None:
        """Ask the server; what it says comes by hear()."""
        if self._channel.socket.is_connected:  # the library would open another one behind our back
            await self._channel.subscribe(self._take_state)
        else:
            self.lose("The connection ended.")

    async def hear(self) -> Word | Lost:
        """The server's next word."""
        return await self._words.get()

    def lose(self, reason: str) -> None:
        """Say that it must be replaced."""
        self._words.put_nowait(Lost(reason))

    async def leave(self) -> None:
        """Say goodbye as far as the socket carries it; nothing is heard any more."""
        self._has_left = True
        try:
            async with asyncio.timeout(_GOODBYE):
                await self._channel.unsubscribe()
        except Exception as error:  # noqa: BLE001  the server drops the channel with the socket
            logger.info("A channel was not left in order: %r", error)
        finally:
            _release(self._channel)
            channels = self._channel.socket.channels
            if channels.get(self._channel.topic) is self._channel:  # not another one that has taken its place
                del channels[self._channel.topic]

    # Called from the task that reads the socket. A channel that was left may still call, late.

    def _tell(self, event: Change | Broadcast) -> None:
        if self._has_left:
            return
        try:
            self._on_event(event)
        except Exception as error:
            logger.exception("An event could not be handled")
            self.lose(f"An event could not be handled: {error!r}.")

    def _take_join(self) -> None:
        """The server has answered that it is joined."""

    def _take_state(self, state: RealtimeSubscribeStates, error: Exception | None) -> None:
        if state is RealtimeSubscribeStates.SUBSCRIBED:
            self._take_join()
            return
        word = f"{state.value}: {error or 'no reason given'}"
        is_refusal = state is RealtimeSubscribeStates.CLOSED or any(sign in word for sign in _FINAL)
        self._words.put_nowait(Lost(word, is_refusal))


class RowsMember(Member):
    """Changes of rows. They flow some time after the join is answered, when a `system` message says so."""

    def __init__(self, channel: AsyncRealtimeChannel, rows: Rows, on_event: Callable[[Any], None]) -> None:
        super().__init__(channel, on_event)
        channel.on_postgres_changes(
            RealtimePostgresChangesListenEvent.All,
            self._take_change,
            table=rows.table,
            schema="public",
            filter=rows.row_filter,
        ).on_system(self._take_system)

    def _take_change(self, payload: PostgresChangesPayload) -> None:
        data = payload["data"]
        self._tell(Change(record=data.get("record") or {}, has_errors=bool(data.get("errors"))))

    def _take_system(self, payload: SuccessSystemPayload) -> None:
        if payload.extension == "postgres_changes":
            self._words.put_nowait(Word.FLOWING)


class BroadcastsMember(Member):
    """Broadcasts, which flow with the answer to the join."""

    def __init__(self, channel: AsyncRealtimeChannel, broadcasts: Broadcasts, on_event: Callable[[Any], None]) -> None:
        super().__init__(channel, on_event)
        channel.on_broadcast(broadcasts.event, self._take_broadcast)

    def _take_broadcast(self, payload: BroadcastPayload) -> None:
        self._tell(Broadcast(payload["payload"]))

    def _take_join(self) -> None:
        self._words.put_nowait(Word.FLOWING)


def _is_of_the_one_before(message: dict[str, Any], channel: AsyncRealtimeChannel) -> bool:
    """Whether it is the end of an earlier channel of the topic, which was left, and not of this one."""
    return message["event"] in _ENDS and message["ref"] not in (None, channel.join_push.ref)


def _release(channel: AsyncRealtimeChannel) -> None:
    """End the tasks that the library started for it."""
    channel.rejoin_timer.reset()
    for push in [channel.join_push, *channel.messages_waiting_for_ack.values()]:
        push.destroy()
