"""`supalocal keys`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from supalocal.cli.place import find_running, read_project
from supalocal.errors import SupalocalError
from supalocal.keys import JWT_SECRET, Keys

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Print the address and the keys of the running stack, or those of the next start."""
    project, home = read_project(options)
    running = find_running(home, options.port)
    told = running.facts if running else {}
    port = options.port or (running.port if running else project.config.port)
    if not port:
        raise SupalocalError("The port is known once the stack runs: start it first, or name it with --port.")
    if running is None:
        sys.stderr.write("supalocal: nothing is running yet; these are the values of a `supalocal start`.\n")
    keys = Keys(options.jwt_secret or told.get("JWT_SECRET") or JWT_SECRET)
    variables = {
        "SUPABASE_URL": told.get("API_URL") or f"http://127.0.0.1:{port}",
        "SUPABASE_PUBLISHABLE_KEY": keys.publishable,
        "SUPABASE_SECRET_KEY": keys.secret,
        "SUPABASE_ANON_KEY": keys.anon,
        "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
    }
    form = "{}={}\n" if options.env else "{:27}{}\n"
    sys.stdout.write("".join(form.format(name, value) for name, value in variables.items()))
    return 0
