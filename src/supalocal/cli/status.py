"""`supalocal status`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from supalocal.cli import facts
from supalocal.cli.place import find_running, nothing_runs, read_project
from supalocal.errors import SupalocalError

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Print what runs. Raises SupalocalError if nothing does."""
    _, home = read_project(options)
    running = find_running(home, options.port)
    if running is None:
        raise SupalocalError(nothing_runs(home, options.port))
    if options.json:
        sys.stdout.write(facts.as_json(running.facts))
    else:
        sys.stdout.write(f"supalocal is {running.facts['STATE']} for {home}.\n\n")
        sys.stdout.write(facts.as_lines({name: value for name, value in running.facts.items() if name != "STATE"}))
    return 0
