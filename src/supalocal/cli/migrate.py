"""`supalocal migrate`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from supalocal.cli.place import find_running, nothing_runs, read_project
from supalocal.errors import SupalocalError

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Apply new migrations to the running stack. Raises SupalocalError with Postgres's words, or if none runs."""
    _, home = read_project(options)
    running = find_running(home, options.port)
    if running is None:
        raise SupalocalError(f"{nothing_runs(home, options.port)} It applies new migrations by itself.")
    applied = running.ask("migrate")["applied"]
    sys.stdout.write("".join(f"Applied {name}.\n" for name in applied) or "There are no new migrations.\n")
    return 0
