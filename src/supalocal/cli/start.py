"""`supalocal start`: keeps a stack running until a signal or another command asks for its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supalocal.cli import control, facts
from supalocal.cli.place import read_project
from supalocal.errors import DataInUseError, MigrationError, ProjectError, SupalocalError
from supalocal.stack import Stack

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from supalocal.project import Project

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(options: argparse.Namespace) -> int:
    """Return when the stack has ended."""
    logging.basicConfig(format="supalocal: %(message)s", level=logging.WARNING)
    project, home = read_project(options)
    if project.folder is None and not options.quiet:
        sys.stderr.write("supalocal: no supabase/ folder here; the database starts empty.\n")
    _hasten_imports()
    data = None if options.memory or options.db_url else Path(options.data or home / ".supalocal").resolve()
    _refuse_twin(home, data)
    asyncio.run(_serve(options, project, home, data))
    return 0


def _hasten_imports() -> None:
    """Spare a start a third of its time, in a process that is ours alone.

    What is imported stays, so nothing is gained by looking for garbage in it. And aiohttp reads all certificates of the
    machine when it is imported, for clients, which there are none of here.
    """
    gc.disable()
    usual = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull
    importlib.import_module("aiohttp")
    del os.environ["SSL_CERT_FILE"]
    if usual is not None:
        os.environ["SSL_CERT_FILE"] = usual


def _refuse_twin(home: Path, data: Path | None) -> None:
    for other in control.running(home):
        if data is not None and other.facts.get("DATA") == str(data):
            raise DataInUseError(
                f"A stack is running on {data} already (process {other.facts['PID']}): `supalocal status` shows "
                "where it is reached, `supalocal stop` stops it."
            )


async def _serve(options: argparse.Namespace, project: Project, home: Path, data: Path | None) -> None:
    begun = time.perf_counter()
    stack = Stack(
        project.folder,
        data=data,
        host=options.host,
        port=project.config.port if options.port is None else options.port,
        db_port=project.config.db_port if options.db_port is None else options.db_port,
        db_url=options.db_url,
        jwt_secret=options.jwt_secret,
        seed=options.seed,
        realtime_quirks=options.realtime_quirks,
        realtime_limits=options.realtime_limits,
    )
    told: dict[str, Any] = {"STATE": "starting", "DATA": str(data or options.db_url or "memory")}
    front = _Front(stack, told, _ending())
    with contextlib.suppress(asyncio.CancelledError):
        async with control.listening(home, front.answer) as desk, stack:
            gc.freeze()
            gc.enable()
            told |= {"STATE": "ready", "SINCE": datetime.now(UTC).isoformat(timespec="seconds")}
            if not options.quiet:
                _say_ready(stack, options, time.perf_counter() - begun)
            try:
                await stack.watch()
            finally:
                told["STATE"] = "stopping"
                await desk.hang_up()


def _ending() -> Callable[[], None]:
    """What ends this task, also at the first signal; a second one must not interrupt the orderly end."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    asked = False

    def end(*_: object) -> None:
        nonlocal asked
        if task is not None and not asked and not loop.is_closed():
            asked = True
            loop.call_soon_threadsafe(task.cancel)

    for number in _SIGNALS:
        # Not asyncio's own handlers: those are gone, and Ctrl-C a traceback again, before this process is.
        signal.signal(number, end)
    return end


class _Front:
    """Answers the other commands."""

    def __init__(self, stack: Stack, told: dict[str, Any], end: Callable[[], None]) -> None:
        self._stack = stack
        self._told = told
        self._end = end

    async def answer(self, question: str) -> dict[str, Any]:
        if question == "stop":
            self._end()
        elif question == "status":
            return self._status()
        elif self._told["STATE"] != "ready":
            raise SupalocalError(f"The stack is {self._told['STATE']}; try again in a moment.")
        elif question == "migrate":
            return {"applied": [migration.path.name for migration in await self._stack.migrate()]}
        elif question == "reset":
            await self._reset()
        return self._status()

    def _status(self) -> dict[str, Any]:
        known = facts.of_stack(self._stack) if self._told["STATE"] == "ready" else {"PID": os.getpid()}
        return known | self._told

    async def _reset(self) -> None:
        self._told["STATE"] = "being reset"
        try:
            await self._stack.reset()
        except (MigrationError, ProjectError):
            self._told["STATE"] = "ready"
            raise
        except SupalocalError:
            self._end()
            raise
        self._told["STATE"] = "ready"


def _say_ready(stack: Stack, options: argparse.Namespace, seconds: float) -> None:
    told = facts.of_stack(stack)
    if options.json:
        text = facts.as_json(told)
    else:
        applied = len(stack.applied)
        news = f", {applied} new migration{'s' if applied != 1 else ''}" if applied else ""
        text = f"supalocal is ready after {seconds:.1f} s{news}.\n\n{facts.as_lines(told)}\nCtrl-C stops it.\n"
    sys.stdout.write(text)
    sys.stdout.flush()
