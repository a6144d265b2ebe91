"""Which program listens on a port, where the operating system lets us look (Linux's /proc)."""

from __future__ import annotations

import contextlib
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"
_ADDRESS, _STATE, _INODE = 1, 3, 9  # columns of /proc/net/tcp
_SHOWN = 80


def holder(port: int) -> str | None:
    """The command line and process number of who listens on the port; None where that cannot be seen."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended, or is somebody else's
            if any(str(descriptor.readlink()) in sockets for descriptor in (process / "fd").iterdir()):
                return f"{_command(process)} (process {process.name})"
    return None


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            rows = [line.split() for line in (_PROC / "net" / table).read_text().splitlines()[1:]]
            found |= {row[_INODE] for row in rows if _is_listening(row, port)}
    return found


def _is_listening(row: list[str], port: int) -> bool:
    return row[_STATE] == _LISTENING and int(row[_ADDRESS].rpartition(":")[2], 16) == port


def _command(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]} ..."
