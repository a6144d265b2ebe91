"""Programs that never outlive us.

A small shell starts the program and waits for the end of a pipe whose other end only this process holds. Closing the
pipe is the one way to stop the program, and the operating system closes it for us however this process ends, by exit,
exception or `kill -9`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path

    from supalocal.server.installation import Account

_Result = TypeVar("_Result")

# SIGINT asks Postgres for a fast shutdown, and initdb to clear up after itself.
_SHELL = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ read -r _ <&3; kill -INT $child; } &
watch=$!
exec 3<&-
wait $child
code=$?
kill $watch 2>/dev/null
exit $code
"""
_POLL_SECONDS = 0.005


class Lifeline:
    """A running program. What it prints goes to `log`; `inherited` are descriptors that it needs."""

    def __init__(self, command: Sequence[str], *, log: Path, account: Account, inherited: Sequence[int]) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment["LC_ALL"] = "C"
        with log.open("wb") as output:
            # Not asyncio's: a cancellation could strike between the fork and our knowing of it.
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603  the commands are ours
                ["/bin/sh", "-c", _SHELL, "supalocal", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for us alone; we then stop the program in order
                pass_fds=inherited,
                **account.spawn,
            )

    @property
    def code(self) -> int | None:
        """The program's exit code, None while it runs."""
        return self._process.poll()

    async def wait(self) -> int:
        """The exit code, once the program has ended."""
        while (code := self.code) is None:  # noqa: ASYNC110  another process's end is no event here
            await asyncio.sleep(_POLL_SECONDS)
        self._close_pipe()
        return code

    async def cut(self, patience: float) -> bool:
        """Ask the program to end, and wait; false if it still runs after so many seconds."""
        self._close_pipe()
        try:
            await asyncio.wait_for(self.wait(), patience)
        except TimeoutError:
            return False
        return True

    async def kill(self) -> None:
        """End the program and what it started, at once."""
        if self.code is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        await self.wait()

    def _close_pipe(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


async def to_the_end(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Do the work whole, even if we are cancelled meanwhile; the cancellation follows afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled
    return task.result()
