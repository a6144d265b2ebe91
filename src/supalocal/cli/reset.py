"""`supalocal reset`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from supalocal.cli.place import find_running, read_project
from supalocal.errors import SupalocalError
from supalocal.server.postgres import Postgres
from supalocal.stack import Stack

if TYPE_CHECKING:
    import argparse

    from supalocal.cli.control import Running
    from supalocal.project import Project


def run(options: argparse.Namespace) -> int:
    """Make the database anew, of the running stack or the one that is kept."""
    project, home = read_project(options)
    running = find_running(home, options.port)
    if running is not None:
        _reset_running(running, dropping_allowed=options.yes)
        sys.stdout.write(f"The database of the running stack is new: {running.facts['DB_URL']}\n")
        return 0
    data = Path(options.data or home / ".supalocal").resolve()
    if not (data / "postgres").exists():
        sys.stdout.write(f"There is no database in {data} yet; `supalocal start` makes one.\n")
        return 0
    asyncio.run(_make_anew(project, data))
    sys.stdout.write(f"The database in {data} is new.\n")
    return 0


def _reset_running(running: Running, *, dropping_allowed: bool) -> None:
    where = running.facts["DATA"]
    if where.startswith("postgres") and not dropping_allowed:
        raise SupalocalError(
            f"The stack runs on a database given by URL, and a reset drops that database, {where}, with everything in "
            "it. If you mean it, say: supalocal reset --yes"
        )
    running.ask("reset")


async def _make_anew(project: Project, data: Path) -> None:
    await Postgres(data).erase()
    async with Stack(project.folder, data=data):
        pass
