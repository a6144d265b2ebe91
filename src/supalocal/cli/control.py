"""How a command speaks with a stack that runs in another process: over a Unix socket, one for each running stack.

A question is one line of JSON, and so is its answer. The socket is the proof that the stack lives: a process that was
killed leaves a file to which nobody can connect, and whoever meets it removes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import stat
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from supalocal.errors import SupalocalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Answer = Callable[[str], Awaitable[dict[str, Any]]]

_PATIENCE = 10.0  # seconds for an answer that needs no work


@dataclass(frozen=True, slots=True)
class Running:
    """A stack that runs in another process."""

    path: Path
    facts: dict[str, Any]

    @property
    def port(self) -> int | None:
        """The port of its API; None while it starts."""
        return urlsplit(str(self.facts.get("API_URL", ""))).port

    def ask(self, question: str) -> dict[str, Any]:
        """Its answer, however long that takes. Raises SupalocalError with its words if it could not do it."""
        with _connected(self.path, None) as connection:
            return _asked(connection, question)

    def stop(self) -> None:
        """Return when its process has ended."""
        with _connected(self.path, None) as connection:
            _asked(connection, "stop")
            while connection.recv(1024):
                pass


def running(project: Path) -> list[Running]:
    """The stacks that run for a project's directory, of this user. Raises SupalocalError if one is stuck."""
    found = []
    for path in sorted(_directory().glob(f"{_name(project)}-*")):
        try:
            with _connected(path, _PATIENCE) as connection:
                found.append(Running(path, _asked(connection, "status")))
        except TimeoutError as exc:
            raise SupalocalError(f"The stack of process {path.suffix[1:]} does not answer. Is it suspended?") from exc
        except (ConnectionError, FileNotFoundError):
            path.unlink(missing_ok=True)
    return found


@asynccontextmanager
async def listening(project: Path, answer: Answer) -> AsyncIterator[Desk]:
    """Answer questions about the stack of this process; a SupalocalError in `answer` is told to who asked."""
    desk = Desk(answer)
    _sweep()
    server, path = await _bound(project, desk)
    try:
        yield desk
    finally:
        server.close()
        path.unlink(missing_ok=True)
        await desk.hang_up()
        with contextlib.suppress(OSError):  # others are running
            path.parent.rmdir()


class Desk:
    """Where questions arrive."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._serving: set[asyncio.Task[Any]] = set()
        self._open: list[asyncio.StreamWriter] = []

    async def hang_up(self) -> None:
        """Give up what is being answered, and wait for that."""
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's question."""
        # Kept open until this process ends: that is how who asked us to stop knows when we did.
        self._open.append(writer)
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("asyncio serves each connection in a task")
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        # asyncio takes the end that hang_up() asks for, too, as a defect, and says so.
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            if question := await reader.readline():
                writer.write(json.dumps(await self._reply(json.loads(question))).encode() + b"\n")
                await writer.drain()
            await reader.read()
            writer.close()
            self._open.remove(writer)

    async def _reply(self, question: str) -> dict[str, Any]:
        try:
            return {"answer": await self._answer(question)}
        except SupalocalError as exc:
            return {"error": str(exc)}


def _sweep() -> None:
    """Remove what stacks of any project left that were killed."""
    for path in _directory().glob("*-.*"):
        try:
            os.kill(int(path.suffix[1:]), 0)
        except OSError:  # nobody's number, or by now somebody else's
            path.unlink(missing_ok=True)


async def _bound(project: Path, desk: Desk) -> tuple[asyncio.Server, Path]:
    while True:
        path = _directory(make=True) / f"{_name(project)}-.{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):  # another stack that ends takes the empty directory with it
            return await asyncio.start_unix_server(desk.serve, path), path


def _directory(*, make: bool = False) -> Path:
    """Where the sockets are, open to this user alone. Raises SupalocalError if somebody else made it first."""
    directory = Path(f"/tmp/.supalocal-{os.geteuid()}")  # noqa: S108  a socket's path must be short
    if make:
        directory.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise SupalocalError(f"{directory} must be a directory that only you can open: remove it.")
    return directory


def _name(project: Path) -> str:
    return hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:16]


@contextlib.contextmanager
def _connected(path: Path, seconds: float | None) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(str(path))
        yield connection


def _asked(connection: socket.socket, question: str) -> dict[str, Any]:
    connection.sendall(json.dumps(question).encode() + b"\n")
    with connection.makefile() as lines:
        line = lines.readline()
    if not line:
        raise ConnectionResetError
    reply: dict[str, Any] = json.loads(line)
    if "error" in reply:
        raise SupalocalError(reply["error"])
    answer: dict[str, Any] = reply["answer"]
    return answer
