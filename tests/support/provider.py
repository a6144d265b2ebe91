"""An OpenAI on loopback that does one thing: it translates, after a pause. Its first line is its address."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from aiohttp import web

LOOPBACK = "127.0.0.1"


class Provider:
    """`asked` holds each text, as it comes; `delay` is in seconds."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        text = (await request.json())["messages"][-1]["content"]
        self.asked.put_nowait(text)
        await asyncio.sleep(self.delay)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": f"<{text}>"}}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
        answer |= {"choices": [choice], "usage": usage}
        return web.json_response(answer)


@contextlib.asynccontextmanager
async def serving(delay: float = 0.0) -> AsyncIterator[Provider]:
    """Serve on a free port until the end of the block."""
    provider = Provider(delay)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", provider.answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        provider.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}/v1"
        yield provider
    finally:
        await runner.cleanup()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    async with serving(parser.parse_args().delay_ms / 1_000) as provider:
        sys.stdout.write(f"{provider.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
