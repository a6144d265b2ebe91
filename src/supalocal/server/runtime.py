"""The temporary directory of a running server: its socket, the stand-in extensions, and the data that nobody keeps."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from supalocal.extensions import shelf
from supalocal.server import postmaster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supalocal.server.installation import Account, Installation

_PARENT = Path("/tmp")  # noqa: S108  a socket's path must be short
_PREFIX = "supalocal-"
_LOCK = "lock"
_YOUNG_SECONDS = 10.0


@contextlib.contextmanager
def made(installation: Installation) -> Iterator[Path]:
    """Make the directory; it is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_PARENT))
    try:
        with locked(directory / _LOCK):
            _put_extensions(directory / "extension", installation)
            installation.account.own(directory)
            yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, which the operating system releases however we end. Raises BlockingIOError."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


async def sweep(account: Account) -> None:
    """Remove what processes that were killed left behind, and end a server that survived them."""
    ours = {os.geteuid(), account.uid}
    for directory in _runtimes():
        with contextlib.suppress(OSError):  # it is in use, somebody else's, or just going away
            if directory.is_symlink() or directory.stat().st_uid not in ours or _is_young(directory / _LOCK):
                continue
            with locked(directory / _LOCK):
                await postmaster.clear(directory / "postgres")
                shutil.rmtree(directory, ignore_errors=True)


def _runtimes() -> list[Path]:
    return list(_PARENT.glob(f"{_PREFIX}*"))


def _is_young(lock: Path) -> bool:
    """Whether its maker may not have taken the lock yet. Raises FileNotFoundError."""
    return time.time() - lock.stat().st_mtime < _YOUNG_SECONDS


def _put_extensions(directory: Path, installation: Installation) -> None:
    directory.mkdir(mode=0o755)
    shelf.stock(directory, system=installation.root / "share" / "extension")
    installation.account.own(directory)
