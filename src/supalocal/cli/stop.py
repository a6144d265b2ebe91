"""`supalocal stop`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from supalocal.cli.place import find_running, nothing_runs, read_project

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Stop the stack and wait for its end; that none runs is no failure."""
    _, home = read_project(options)
    running = find_running(home, options.port)
    if running is None:
        sys.stderr.write(f"supalocal: {nothing_runs(home, options.port)}\n")
    else:
        running.stop()
        sys.stdout.write(f"supalocal has stopped for {home}.\n")
    return 0
