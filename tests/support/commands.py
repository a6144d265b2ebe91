"""The command `supalocal`, run as its users run it."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

SUPALOCAL = [sys.executable, "-m", "supalocal"]
FREE = ("--port", "0", "--db-port", "0")


@contextlib.asynccontextmanager
async def started(*arguments, **options):
    """A `supalocal start` that is ready: its process and what it told; killed at the end."""
    command = [*SUPALOCAL, "start", "--json", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, **pipes, **options)
    try:
        line = await process.stdout.readline()
        assert line, (await process.stderr.read()).decode()
        yield process, json.loads(line)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def is_alive(pid):
    """Whether the process runs; one that ended stays as a zombie until its parent looks."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return True
