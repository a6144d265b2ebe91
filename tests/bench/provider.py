"""A provider on loopback with a fixed delay, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.server import ROOT


@asynccontextmanager
async def answering(*, delay_ms: float, pause_ms: float = 0) -> AsyncIterator[str]:
    """Its address: OPENAI_BASE_URL. Each answer's first byte comes after the delay, its other words a pause apart."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.openai_server", f"--delay-ms={delay_ms}", f"--pause-ms={pause_ms}",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()
