"""Finds what a `supabase/` folder holds: migrations and seed files."""

from __future__ import annotations

import glob
import itertools
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from supalocal.errors import ProjectError
from supalocal.project.config import Config, read_config

_MIGRATION = re.compile(r"(?P<version>\d+)_(?P<name>.*)\.sql", re.ASCII)
_OLD_INIT = re.compile(r"\d{14}_init\.sql", re.ASCII)
_FIRST_INIT = "20211209000000"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `migrations/`: its version (usually 14 digits), its name between version and suffix, its path."""

    version: str
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Project:
    """A `supabase/` folder; `folder` is None for a stack without a project."""

    folder: Path | None = None
    config: Config = field(default_factory=Config)

    @classmethod
    def read(cls, path: str | Path) -> Project:
        """The project at `path`: a `supabase/` folder or the directory that holds one. Raises ProjectError."""
        given = Path(path)
        folder = given / "supabase" if (given / "supabase").is_dir() else given
        if not _is_project(folder):
            raise ProjectError(
                f"{given} is no Supabase project: it has neither supabase/ nor config.toml or migrations/."
            )
        return cls(folder, read_config(folder / "config.toml"))

    def read_again(self) -> Project:
        """The project as it is on disk now. Raises ProjectError."""
        return self if self.folder is None else Project.read(self.folder)

    def migrations(self) -> list[Migration]:
        """The migrations in the order of their versions; files of other names are passed over, as by the CLI."""
        if self.folder is None or not self.config.migrations_enabled:
            return []
        found = [
            Migration(match["version"], match["name"], path)
            for path in sorted((self.folder / "migrations").glob("*.sql"))
            if (match := _MIGRATION.fullmatch(path.name))
        ]
        # What the first versions of the CLI wrote is Supabase's own schema; today's skips it, too.
        if found and _OLD_INIT.fullmatch(found[0].path.name) and found[0].version < _FIRST_INIT:
            del found[0]
        _refuse_twins(found)
        return found

    def seeds(self) -> list[Path]:
        """The seed files in the order of `db.seed.sql_paths`, each once."""
        if self.folder is None or not self.config.seed_enabled:
            return []
        found: dict[Path, None] = {}
        for pattern in self.config.seed_paths:
            matching = sorted(glob.glob(os.path.normpath(self.folder / pattern)))  # noqa: PTH207  it may be absolute
            found |= dict.fromkeys(path for path in map(Path, matching) if path.is_file())
        return list(found)


def _is_project(folder: Path) -> bool:
    """By its name, if nothing is in it yet; under another name by what is."""
    known = ("config.toml", "migrations", "seed.sql")
    named = folder.is_dir() and folder.resolve().name == "supabase"
    return named or any((folder / name).exists() for name in known)


def _refuse_twins(migrations: list[Migration]) -> None:
    for first, second in itertools.pairwise(migrations):
        if first.version == second.version:
            raise ProjectError(f"{first.path.name} and {second.path.name} have the same version; rename one of them.")
