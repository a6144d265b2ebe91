"""A process that follows one session's messages and says when each arrived: `python -m tests.bench.listener WAY ...`.

One line when changes flow, and one at the end. The clock is the machine's, the same in every process.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp

from babelroom import Babelroom
from babelroom.models import Message
from tests.bench.report import say

_LATE = 30.0  # seconds until a change counts as lost

Ready = Callable[[], None]


async def by_sdk(url: str, key: str, session: str, count: int, ready: Ready) -> dict[int, float]:
    """By rev, when the callback was called."""
    arrived: dict[int, float] = {}
    complete = asyncio.Event()

    def on_message(message: Message) -> None:
        arrived[message.rev] = time.perf_counter()
        if len(arrived) == count:
            complete.set()

    async with Babelroom.connect(url=url, key=key) as room:
        await room.messages.subscribe_to_messages(session, on_message)
        ready()
        await complete.wait()
    return arrived


async def by_socket(url: str, key: str, session: str, count: int, ready: Ready) -> dict[int, float]:
    """By rev, when a bare websocket had the frame, before it was read as JSON."""
    arrived: dict[int, float] = {}
    change = {"event": "*", "schema": "public", "table": "messages", "filter": f"session_id=eq.{session}"}
    join = {
        "topic": "realtime:bare", "event": "phx_join", "ref": "1", "join_ref": "1",
        "payload": {"config": {"postgres_changes": [change]}, "access_token": key},
    }  # fmt: skip
    address = f"{url}/realtime/v1/websocket?apikey={key}&vsn=1.0.0"
    async with aiohttp.ClientSession() as http, http.ws_connect(address) as socket:
        await socket.send_json(join)
        while "Subscribed to PostgreSQL" not in await socket.receive_str(timeout=_LATE):
            pass
        ready()
        while len(arrived) < count:
            frame = await socket.receive_str(timeout=_LATE)
            now = time.perf_counter()
            message = json.loads(frame)
            if message["event"] == "postgres_changes":
                arrived[message["payload"]["data"]["record"]["rev"]] = now
    return arrived


WAYS: dict[str, Callable[..., Awaitable[dict[int, float]]]] = {"sdk": by_sdk, "socket": by_socket}


async def main(way: str, url: str, key: str, session: str, count: str) -> None:
    begun = 0.0

    def ready() -> None:
        nonlocal begun
        begun = time.process_time()
        say("ready")

    arrived = await WAYS[way](url, key, session, int(count), ready)
    say(json.dumps({"arrived": list(arrived.items()), "cpu": time.process_time() - begun}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
