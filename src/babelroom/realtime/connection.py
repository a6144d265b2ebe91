"""One supervised connection to Realtime, shared by all subscriptions of a client, that cannot die quietly.

Two loops, each doing one thing until it is cancelled. The connection's: open a socket, wait until it is lost, open
another. Each channel's: join on the open socket, say when events flow, wait until they stop, join again. Whatever is
lost is replaced by a new one, after a delay that grows; nothing is repaired, so nothing can be half alive.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from babelroom.backoff import Backoff
from babelroom.realtime.socket import Event, Lost, Member, Socket, Subject, Word
from babelroom.realtime.tasks import Tasks

logger = logging.getLogger("babelroom")

Event_contra = TypeVar("Event_contra", contravariant=True)

_OPEN = 10
"""Seconds for the websocket to open."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the connection behaves; the seconds are those of Settings."""

    url: str
    key: str
    heartbeat_interval: float
    reconnect_delays: tuple[float, ...]
    events_per_second: int
    confirm_within: float = 10.0
    """Seconds for the server to say that events flow: a cold one takes up to 8."""


class Listener(Protocol[Event_contra]):
    """Whoever follows a subject. None of these waits."""

    def on_event(self, event: Event_contra) -> None:
        """A row has changed, or something was broadcast."""

    def on_flowing(self) -> None:
        """Events flow (again): what happened before was missed."""

    def on_lost(self, lost: Lost) -> None:
        """They do not flow, or still not; another attempt follows by itself."""


@dataclass(eq=False)
class Channel:
    """What happens to a subject, for everybody who follows it."""

    subject: Subject[Any]
    backoff: Backoff
    listeners: set[Listener[Any]] = field(default_factory=set)
    member: Member | None = None
    is_flowing: bool = False
    lost: Lost | None = None
    """Why it does not flow, once that is known."""
    task: asyncio.Task[None] | None = None

    def on_event(self, event: object) -> None:
        for listener in list(self.listeners):
            listener.on_event(event)

    def on_flowing(self) -> None:
        self.is_flowing, self.lost = True, None
        for listener in list(self.listeners):
            listener.on_flowing()

    def on_lost(self, lost: Lost) -> None:
        self.lost = lost
        for listener in list(self.listeners):
            listener.on_lost(lost)


class Connection:
    """`token` returns the access token of now, None without a signed-in user."""

    def __init__(self, options: Options, tasks: Tasks, token: Callable[[], Awaitable[str | None]]) -> None:
        self._options = options
        self._tasks = tasks
        self._token = token
        self._backoff = Backoff(options.reconnect_delays)
        self._channels: dict[Subject[Any], Channel] = {}
        self._task: asyncio.Task[None] | None = None
        self._socket: Socket | None = None
        self._lost: Lost | None = None
        self._has_news = asyncio.Event()
        self.reconnects = 0
        """How often a socket was opened because the one before it was lost."""

    def follow(self, subject: Subject[Event], listener: Listener[Event]) -> None:
        """Tell the listener what happens, once it has heard on_flowing(). The first one opens the socket."""
        if not self._channels:
            previous, self._lost = self._task, None
            self._task = self._tasks.start(lambda: self._stay_connected(previous), "the connection")
        channel = self._channels.get(subject)
        if channel is None:
            channel = Channel(subject, Backoff(self._options.reconnect_delays))
            channel.task = self._tasks.start(partial(self._stay_joined, channel), f"the channel of {subject}")
            self._channels[subject] = channel
        channel.listeners.add(listener)
        lost = channel.lost or self._lost
        if channel.is_flowing:
            listener.on_flowing()
        elif lost is not None:
            listener.on_lost(Lost(lost.reason))  # whoever comes in an outage need not wait for the next attempt

    async def unfollow(self, subject: Subject[Event], listener: Listener[Event]) -> None:
        """Tell it no more. The last one closes the socket. Doing it twice is no error."""
        channel = self._channels.get(subject)
        if channel is None or listener not in channel.listeners:
            return
        channel.listeners.remove(listener)
        if channel.listeners:
            return
        del self._channels[subject]
        ending = [channel.task] if self._channels else [channel.task, self._task]
        for task in ending:
            if task is not None:
                task.cancel()
        await asyncio.wait([task for task in ending if task is not None])

    def renew(self, subject: Subject[Any], reason: str) -> None:
        """Join a channel anew that seems to be alive and tells nothing."""
        channel = self._channels.get(subject)
        if channel is not None and channel.member is not None:
            channel.member.lose(reason)

    async def renew_token(self, token: str | None) -> None:
        """Have the server go on by this access token; None: the user has signed out."""
        if token is None:
            for channel in list(self._channels.values()):
                if channel.member is not None:
                    channel.member.lose("The user signed out.")  # the server takes no key in place of a token
        if self._socket is None or token is None:
            return
        try:
            await self._socket.renew_token(token)
        except Exception as error:  # noqa: BLE001  the server will close the channels, which then join by the new one
            logger.info("A new access token could not be sent: %r", error)

    async def _stay_connected(self, previous: asyncio.Task[None] | None) -> None:
        if previous is not None:
            await asyncio.wait([previous])  # it may still be closing its socket
        has_worked = False
        while True:
            socket = Socket(
                self._options.url,
                self._options.key,
                timeout=_OPEN,
                events_per_second=self._options.events_per_second,
            )
            try:
                await socket.open(heartbeat_interval=self._options.heartbeat_interval)
                self.reconnects += has_worked
                has_worked = True
                lost = await self._hand_out(socket)
            except Exception as error:  # noqa: BLE001  whatever the library met, the next attempt may succeed
                lost = Lost(f"The connection could not be opened: {error!r}.")
            finally:
                await socket.close()
            self._tell(lost)
            await asyncio.sleep(self._backoff.next())

    async def _hand_out(self, socket: Socket) -> Lost:
        """Let the channels use the socket until it is lost."""
        self._socket, self._lost = socket, None
        self._has_news.set()
        try:
            return await socket.ended()
        finally:
            self._socket = None

    async def _open_socket(self) -> Socket:
        """The socket of now, as soon as there is one that works."""
        while self._socket is None or self._socket.is_lost:
            self._has_news.clear()
            await self._has_news.wait()
        return self._socket

    def _tell(self, lost: Lost) -> None:
        logger.info("Realtime is away: %s", lost.reason)
        self._lost = lost
        for channel in list(self._channels.values()):
            if channel.member is not None:
                channel.member.lose(lost.reason)
            else:
                channel.on_lost(lost)

    async def _stay_joined(self, channel: Channel) -> None:
        while True:
            socket = await self._open_socket()
            lost = await self._listen(channel, socket)
            channel.on_lost(lost)
            if not socket.is_lost:
                await asyncio.sleep(channel.backoff.next())

    async def _listen(self, channel: Channel, socket: Socket) -> Lost:
        """Join, and tell what happens until nothing is told any more."""
        try:
            token = await self._token()
        except Exception as error:  # noqa: BLE001  Auth may answer the next time
            return Lost(f"The access token could not be refreshed: {error!r}.")
        member = socket.join(channel.subject, token, channel.on_event)
        channel.member = member
        try:
            async with asyncio.timeout(self._options.confirm_within):
                await member.join()
                word = await member.hear()
            while word is Word.FLOWING:
                self._backoff.reset()
                channel.backoff.reset()
                channel.on_flowing()
                word = await member.hear()
        except TimeoutError:
            waited = self._options.confirm_within
            return Lost(f"Realtime did not confirm within {waited:g} s that changes flow.")
        except Exception as error:  # noqa: BLE001  as above
            return Lost(f"The channel could not be joined: {error!r}.")
        else:
            return word
        finally:
            channel.member, channel.is_flowing = None, False
            await member.leave()
