"""A supalocal with this project, in a process of its own that can be killed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.stress.server import ROOT


class Local:
    """Where it is and which key it takes; both stay when it is killed and started again on the same data."""

    def __init__(self, options: tuple[str, ...]) -> None:
        self._options = options
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self.url = self.key = self.secret_key = self.admin_db_url = ""

    async def start(self) -> None:
        command = [sys.executable, "-m", "supalocal", "start", "--json", "--port", f"{self._port}", "--db-port", "0"]
        self._process = process = await asyncio.create_subprocess_exec(
            *command, "--project", str(ROOT), *self._options, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        line = await process.stdout.readline()
        if not line:
            raise SystemExit(f"supalocal did not start: exit code {await process.wait()}")
        facts = json.loads(line)
        self.url, self.key = facts["API_URL"], facts["PUBLISHABLE_KEY"]
        self.secret_key, self.admin_db_url = facts["SECRET_KEY"], facts["ADMIN_DB_URL"]
        self._port = urlsplit(self.url).port or 0

    async def kill(self) -> None:
        """As kill -9 does."""
        assert self._process
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


@asynccontextmanager
async def started(*options: str) -> AsyncIterator[Local]:
    """Start it with these options, and stop it at the end."""
    local = Local(options)
    try:
        await local.start()
        yield local
    finally:
        await local.stop()
