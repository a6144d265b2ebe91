"""Clients that do not read, with sockets that the kernel fills up."""

import asyncio
import base64
import json
import os
import socket
import struct
from urllib.parse import urlsplit

import pytest

WAITING, KERNEL = 2_000_000, 12_000_000
COUNT = 20
LARGE = {"type": "broadcast", "event": "ping", "payload": {"x": "x" * 1_000_000}}


def masked(text):
    """A frame from a client, which must be masked; zeros mask nothing."""
    body = text.encode()
    return struct.pack(">BBH4x", 0x81, 0x80 | 126, len(body)) + body


@pytest.fixture
def deaf(bare_stack):
    """Joins the room over a bare TCP connection, is present there as `deaf`, and never reads again."""
    sockets = []

    def join(url):
        port = urlsplit(url).port
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        sockets.append(connection)
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /websocket?apikey={bare_stack.anon_key} HTTP/1.1\r\nHost: localhost\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        join = {"config": {"presence": {"key": "deaf", "enabled": True}}}
        for event, payload in (("phx_join", join), ("presence", {"event": "track", "payload": {}})):
            frame = {"topic": "realtime:room", "event": event, "payload": payload, "ref": "1"}
            connection.sendall(masked(json.dumps(frame)))
        received = b""
        while b"presence_diff" not in received:
            received += connection.recv(4096)
        return connection

    yield join
    for connection in sockets:
        connection.close()


def read_to_the_end(connection):
    """How many bytes come until the connection ends."""
    count = 0
    try:
        while data := connection.recv(1 << 20):
            count += len(data)
    except ConnectionResetError:
        pass
    return count


async def test_a_client_that_never_reads_is_cut_off(connect, serve, deaf):
    """It gets no more than was waiting for it, and a client beside it gets everything at once."""
    async with serve(waiting_bytes=WAITING) as url, connect(url=url) as sender, connect(url=url) as receiver:
        slow = await asyncio.to_thread(deaf, url)
        await sender.join()
        await receiver.join()
        for _ in range(COUNT):
            await sender.send("broadcast", LARGE)
            while (received := await receiver.receive())[0] == "presence_diff":
                pass
            assert received == ("broadcast", LARGE, None)
        read = await asyncio.to_thread(read_to_the_end, slow)
    # What the kernel holds for the connection comes on top of what waits for it here.
    assert read < WAITING + KERNEL < COUNT * 1_000_000


async def test_a_client_that_is_cut_off_is_no_longer_present(connect, serve, deaf):
    """The others learn that it has gone."""
    async with serve(waiting_bytes=WAITING) as url, connect(url=url) as sender:
        await asyncio.to_thread(deaf, url)
        await sender.join(broadcast={"self": False}, presence={"enabled": True})
        assert list((await sender.receive())[1]) == ["deaf"]
        for _ in range(COUNT):
            await sender.send("broadcast", LARGE)
        event, payload, _ = await sender.receive()
        assert (event, list(payload["leaves"])) == ("presence_diff", ["deaf"])
