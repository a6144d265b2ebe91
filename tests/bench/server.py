"""A supalocal as its users start it, in processes of its own, and what these cost."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).with_name("project")


@dataclass(frozen=True, slots=True)
class Server:
    """A running `supalocal start`: what it told, and the seconds from its command line to there."""

    facts: dict[str, str]
    seconds: float
    pid: int

    def processes(self) -> list[psutil.Process]:
        """Supalocal, its Postgres and all of that one's processes."""
        own = psutil.Process(self.pid)
        return [own, *own.children(recursive=True)]

    def memory(self) -> int:
        """Bytes of all its processes together; what several share counts once (proportional set size)."""
        return sum(process.memory_full_info().pss for process in self.processes())

    def cpu(self) -> float:
        """Seconds of processor time that its processes took so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes())


@asynccontextmanager
async def running(*options: str, project: Path = PROJECT) -> AsyncIterator[Server]:
    """Start it with free ports, and stop it at the end."""
    command = [sys.executable, "-m", "supalocal", "start", "--json", "--port", "0", "--db-port", "0"]
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, "--project", str(project), *options, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        seconds = time.perf_counter() - begun
        if not line:
            raise SystemExit(f"supalocal did not start: exit code {await process.wait()}")
        yield Server(json.loads(line), seconds, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
