"""A loopback port before another, whose connections are slow, fall silent or are cut: what networks do to bytes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from asyncio import Queue, StreamReader, StreamWriter
from collections.abc import AsyncIterator

LOOPBACK = "127.0.0.1"

_CHUNK = 65_536
_UNDER_WAY = 1_000  # chunks of one direction; past that many the sender must wait
_SLICES = 20  # a second's bytes come in so many parts
_LINGER_0 = struct.pack("ii", 1, 0)

# When it is due at the other side, and a chunk: empty at the end of the stream, None for a reset.
Arrival = tuple[float, bytes | None]


def reset(transport: asyncio.WriteTransport) -> None:
    """End a TCP connection with RST, in place of an orderly end."""
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
    transport.abort()


class Link:
    """One client's connection."""

    def __init__(self, links: Links, reader: StreamReader, writer: StreamWriter) -> None:
        self._links = links
        self._client = (reader, writer)
        self.flows = asyncio.Event()
        self.flows.set()
        self.inner_port = 0  # from which it is continued
        self.is_websocket = False
        self.task = asyncio.create_task(self._run())

    def cut(self) -> None:
        reset(self._client[1].transport)
        self.task.cancel()

    async def _run(self) -> None:
        """Carry both directions until both have ended or either is reset."""
        reader, writer = self._client
        writers = [writer]
        try:
            answers, inner = await asyncio.open_connection(LOOPBACK, self._links.inner_port)
            writers.append(inner)
            self.inner_port = inner.get_extra_info("sockname")[1]
            async with asyncio.TaskGroup() as pumps:
                for source, target in ((reader, inner), (answers, writer)):
                    under_way: Queue[Arrival] = Queue(_UNDER_WAY)
                    pumps.create_task(self._take(source, under_way))
                    pumps.create_task(self._give(under_way, target))
            for ended in writers:
                ended.close()
                await ended.wait_closed()
        except* OSError:  # ENOTCONN, of a side that is gone already, is no ConnectionError
            pass  # both sides are told below
        finally:
            for ended in writers:
                reset(ended.transport)

    async def _take(self, reader: StreamReader, under_way: Queue[Arrival]) -> None:
        chunk: bytes | None = b"-"
        while chunk:
            await self.flows.wait()
            try:
                chunk = await reader.read(_CHUNK)
            except ConnectionError:
                chunk = None
            await under_way.put((asyncio.get_running_loop().time() + self._links.delay, chunk))

    async def _give(self, under_way: Queue[Arrival], writer: StreamWriter) -> None:
        chunk: bytes | None = b"-"
        while chunk:
            due, chunk = await under_way.get()
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            if chunk is None:
                await self.flows.wait()
                raise ConnectionResetError
            await self._write(chunk, writer)
        await self.flows.wait()
        writer.write_eof()

    async def _write(self, chunk: bytes, writer: StreamWriter) -> None:
        while chunk:
            rate = self._links.bytes_per_second
            size = len(chunk) if rate is None else max(1, int(rate / _SLICES))
            part, chunk = chunk[:size], chunk[size:]
            if rate is not None:
                await asyncio.sleep(len(part) / rate)
            await self.flows.wait()
            writer.write(part)
            await writer.drain()


class Links:
    """All connections to one port, and what is done to them."""

    def __init__(self) -> None:
        self.delay = 0.0  # seconds, one way; order is kept, and as much passes in a second as before
        self.bytes_per_second: float | None = None  # of each connection, one way
        self.port = 0
        self.inner_port = 0
        self._open: set[Link] = set()
        self._new_are_silent = self._new_websockets_are_silent = False

    @contextlib.asynccontextmanager
    async def leading_to(self, inner_port: int) -> AsyncIterator[None]:
        """Listen on a free port; what is open at the end is cut."""
        self.inner_port = inner_port
        with socket.socket() as holder:  # keeps the port while nobody listens on it
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((LOOPBACK, 0))
            self.port = holder.getsockname()[1]
            await self._listen()
            try:
                yield
            finally:
                self._listener.close()
                ending = [link.task for link in self._open]
                self.cut()
                await asyncio.gather(*ending, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Nobody listens: new TCP connections are refused (ECONNREFUSED), open ones go on."""
        self._listener.close()
        try:
            yield
        finally:
            await self._listen()

    def cut(self, *, websockets_only: bool = False) -> None:
        """Reset (RST) every connection that is open now."""
        for link in self._chosen(websockets_only):
            link.cut()

    def silence(self, *, websockets_only: bool = False, new_too: bool = False) -> None:
        """Leave connections half-open: they stay, but nothing passes either way, not even their end, until resume().

        Those that are open now, and with `new_too` those that come: a new websocket gets no answer to its upgrade.
        """
        self._new_are_silent = new_too and not websockets_only
        self._new_websockets_are_silent = new_too
        for link in self._chosen(websockets_only):
            link.flows.clear()

    def resume(self) -> None:
        """Let all that silence() holds up arrive, late."""
        self._new_are_silent = self._new_websockets_are_silent = False
        for link in self._open:
            link.flows.set()

    def becomes_websocket(self, inner_port: int) -> None:
        """Say that the connection continued from this port is a websocket's from now on."""
        for link in self._open:
            if link.inner_port == inner_port:
                link.is_websocket = True
                if self._new_websockets_are_silent:
                    link.flows.clear()

    def _chosen(self, websockets_only: bool) -> list[Link]:
        return [link for link in self._open if link.is_websocket or not websockets_only]

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._accept, LOOPBACK, self.port, reuse_port=True)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        link = Link(self, reader, writer)
        self._open.add(link)
        link.task.add_done_callback(lambda _: self._open.discard(link))
        if self._new_are_silent:
            link.flows.clear()
