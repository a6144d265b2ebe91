"""Which project a command means, and which of its running stacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from supalocal.cli import control
from supalocal.errors import ProjectError, SupalocalError
from supalocal.project import Project

if TYPE_CHECKING:
    import argparse

    from supalocal.cli.control import Running


def read_project(options: argparse.Namespace) -> tuple[Project, Path]:
    """The project and the directory that it is known by; an empty project where none was named and none is there.

    Raises ProjectError.
    """
    given = Path(options.project or ".")
    try:
        project = Project.read(given)
    except ProjectError:
        if options.project or (given / "supabase").is_dir():
            raise
        project = Project()
    folder = project.folder
    home = given if folder is None else folder.parent if folder.name == "supabase" else folder
    return project, home.resolve()


def find_running(home: Path, port: int | None) -> Running | None:
    """The running stack of the project, the one on that port if several run. Raises SupalocalError for a choice."""
    found = control.running(home)
    chosen = found if port is None else [one for one in found if one.port == port]
    if len(chosen) > 1:
        where = ", ".join(str(one.port or "starting") for one in found)
        raise SupalocalError(f"Several stacks of this project are running, on the ports {where}: choose with --port.")
    return chosen[0] if chosen else None


def nothing_runs(home: Path, port: int | None) -> str:
    """The sentence for it."""
    where = "" if port is None else f" on port {port}"
    return f"No stack is running{where} for {home}; `supalocal start` starts one."
