"""The server process of a data directory, as its `postmaster.pid` tells of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

_PATIENCE = 10.0  # seconds that each kind of shutdown gets
_POLL_SECONDS = 0.005
_STATUS_LINE = 7  # from 0; pg_ctl looks there too


def pid_file(cluster: Path) -> str:
    """The text of `postmaster.pid`, empty where there is none."""
    try:
        return (cluster / "postmaster.pid").read_text(errors="replace")
    except FileNotFoundError:
        return ""


def is_ready(cluster: Path, before: str) -> bool:
    """Whether the server takes connections; `before` is the text that a crashed server left, which may say so too."""
    now = pid_file(cluster)
    lines = now.splitlines()
    return now != before and len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"


async def clear(cluster: Path) -> None:
    """Stop the server that works on the directory, if any, by ever harder means.

    Only for who holds the directory's lock: then such a server is the orphan of a killed stack.
    """
    pid = _pid(cluster)
    if pid is None:
        return
    if not _works_in(pid, cluster):
        # After a reboot the number may be anybody's, and Postgres itself would refuse to start.
        if _is_alive(pid):
            (cluster / "postmaster.pid").unlink(missing_ok=True)
        return
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_gone(pid, cluster), _PATIENCE)
            return


def _pid(cluster: Path) -> int | None:
    first = pid_file(cluster).partition("\n")[0].strip()
    return int(first) if first.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _works_in(pid: int, cluster: Path) -> bool:
    """Whether the process is a live server of that directory: Postgres makes it its working directory."""
    if sys.platform != "linux":
        return f"-D {cluster} " in _command_line(pid)
    try:
        return Path(f"/proc/{pid}/cwd").samefile(cluster)
    except OSError:
        return False


def _command_line(pid: int) -> str:
    listed = subprocess.run(  # noqa: S603  a number is all that goes in
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return listed.stdout


async def _gone(pid: int, cluster: Path) -> None:
    while _works_in(pid, cluster):  # noqa: ASYNC110  another process's end is no event here
        await asyncio.sleep(_POLL_SECONDS)
