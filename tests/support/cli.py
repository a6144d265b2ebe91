"""The real Supabase CLI, as a user runs it on a project, but in a home of its own and with nothing of this shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECONDS = 120.0  # a command takes about one; without a limit it could wait for a network that is not there


@dataclass(frozen=True)
class Cli:
    program: str
    project: Path
    home: Path

    @staticmethod
    def find() -> str | None:
        """The npm package's program, in the directory that SUPABASE_CLI_PATH names or on the PATH; None if missing."""
        return shutil.which("supabase", path=os.environ.get("SUPABASE_CLI_PATH"))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end. Raises CalledProcessError with the CLI's own words as a note."""
        command = [self.program, *arguments, "--workdir", str(self.project), "--agent", "no"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "SUPABASE_TELEMETRY_DISABLED": "1"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=self.home
        )
        try:
            done.check_returncode()
        except subprocess.CalledProcessError as exc:
            exc.add_note(done.stdout + done.stderr)
            raise
        return done

    def ask(self, *arguments: str) -> Any:
        """Run a command that answers in JSON."""
        return json.loads(self.run(*arguments, "--output-format", "json").stdout)

    def push(self, url: str) -> str:
        """Apply the migrations; what the CLI said comes back."""
        done = self.run("db", "push", "--yes", f"--remote={url}")
        return done.stderr + done.stdout
