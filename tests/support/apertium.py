"""An apertium of shell scripts: one mode, eng-spa, whose only stage is ours to write."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from babelroom.providers.apertium import Apertium

COMMAND = Apertium.find()
NEEDS = "apertium is not installed: apt install apertium apertium-eng-spa apertium-es-pt"


class FakeApertium:
    """Files as Debian's packages lay them out, below a folder. Started anew for each text, it says "anew"."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.mode = folder / "share" / "apertium" / "modes" / "eng-spa.mode"
        self.mode.parent.mkdir(parents=True)
        self.mode.write_text("lt-proc")
        (folder / "bin").mkdir()
        self.command = self._write("apertium", "[ \"$1\" = -l ] && echo '  eng-spa' || printf 'anew.[][\\n]'")
        self._write("apertium-wblank-mode", 'cat "$2"')
        self.stage("exec cat")

    @property
    def programs(self) -> Path:
        return self._folder / "bin"

    @property
    def starts(self) -> int:
        """How often the stage was started."""
        file = self._folder / "starts"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def stage(self, script: str) -> None:
        """Let the stage do this, with the number of its start in $n."""
        starts = self._folder / "starts"
        self._write("lt-proc", f"echo start >> '{starts}'\nn=$(($(wc -l < '{starts}')))\n{script}")

    def _write(self, name: str, script: str) -> str:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)


class Held:
    """A fifo that programs hold open: it shows that they run, and that the last of them ended."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "held"
        os.mkfifo(self.path)

    async def taken(self) -> _Taken:
        """Wait for the first who holds it (shell: `exec 3> path`)."""
        return _Taken(await asyncio.to_thread(os.open, self.path, os.O_RDONLY))


class _Taken:
    def __init__(self, reading: int) -> None:
        self._reading = reading

    async def left(self) -> None:
        """Wait until nobody holds it."""
        async with asyncio.timeout(20):
            await asyncio.to_thread(os.read, self._reading, 1)
        os.close(self._reading)
