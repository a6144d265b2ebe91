"""Node.js, with the unmodified supabase-js that npm installs beside our scripts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "e2e" / "supabase_js"
MISSING = "Node.js with npm is missing: install nodejs and npm"


def find() -> str | None:
    """Node's program, ready to run the scripts of PROJECT there; None without Node or npm."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if not program or not npm:
        return None
    if not (PROJECT / "node_modules" / "@supabase").exists():
        install = [npm, "install", "--prefix", PROJECT, "--no-package-lock", "--no-audit", "--no-fund"]
        subprocess.run(install, check=True, capture_output=True)
    return program
