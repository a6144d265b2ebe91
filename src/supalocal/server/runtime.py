"""The temporary directory of a running server: its socket, the stand-in extensions, and the data that nobody keeps.

A keeper, a small shell, waits for the end of a pipe that this process and whatever it starts on the directory hold, and
then removes the directory: also when this process was killed, and not before the last of them has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
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
_KEEPER = 'read -r _; rm -rf "$1"'


@dataclass(frozen=True, slots=True)
class Runtime:
    """The directory; `held` is the descriptor that a program started on it inherits."""

    path: Path
    held: int


@contextlib.contextmanager
def made(installation: Installation) -> Iterator[Runtime]:
    """Make the directory; it is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_PARENT))
    waited, held = os.pipe()
    held = inheritable(held)
    keeper = _keeper(directory, waited)
    try:
        with locked(directory / _LOCK):
            _put_extensions(directory / "extension", installation)
            installation.account.own(directory)
            yield Runtime(directory, held)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        keeper.kill()
        keeper.wait()
        os.close(held)


@contextlib.contextmanager
def locked(path: Path, *, create: bool = True) -> Iterator[None]:
    """Hold a lock file, which the operating system releases however we end. Raises BlockingIOError."""
    with path.open("a" if create else "r") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def inheritable(descriptor: int) -> int:
    """The same under a number beyond 0 to 9, which the shells that hand it on use themselves."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return high


async def sweep(account: Account) -> None:
    """Remove what processes that were killed left behind, and end a server that survived them."""
    ours = {os.geteuid(), account.uid}
    for directory in _runtimes():
        with contextlib.suppress(OSError):  # it is in use, somebody else's, or just going away
            if directory.is_symlink() or directory.stat().st_uid not in ours or _is_young(directory / _LOCK):
                continue
            with locked(directory / _LOCK, create=False):  # the keeper may be removing it
                await postmaster.clear(directory / "postgres")
                shutil.rmtree(directory, ignore_errors=True)


def _keeper(directory: Path, waited: int) -> subprocess.Popen[bytes]:
    command = ["/bin/sh", "-c", _KEEPER, "supalocal", str(directory)]
    with os.fdopen(waited) as pipe:
        return subprocess.Popen(command, stdin=pipe, cwd="/", start_new_session=True)  # noqa: S603  ours


def _runtimes() -> list[Path]:
    return list(_PARENT.glob(f"{_PREFIX}*"))


def _is_young(lock: Path) -> bool:
    """Whether its maker may not have taken the lock yet. Raises FileNotFoundError."""
    return time.time() - lock.stat().st_mtime < _YOUNG_SECONDS


def _put_extensions(directory: Path, installation: Installation) -> None:
    directory.mkdir(mode=0o755)
    shelf.stock(directory, system=installation.root / "share" / "extension")
    installation.account.own(directory)
