"""A local Supabase without Docker: a real Postgres, and REST, Realtime and Auth with Supabase's wire protocols.

`stack` is the front door, `cli` the command. An `instance` starts Postgres (`server`), makes it like a hosted project's
(`bootstrap`, `extensions`), applies the `project` with its migrations, and opens the `services`: `rest`, `auth` and
`realtime` behind the `gateway`, and `cron`. `pytest` and `testing` are for the tests of a project.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from supalocal.errors import (
    AddressError,
    DataInUseError,
    MigrationError,
    PortTakenError,
    PostgresError,
    PostgresMissingError,
    PostgresStartError,
    ProjectError,
    SnapshotError,
    SupalocalError,
    UnsuitableDatabaseError,
)

if TYPE_CHECKING:
    from supalocal.keys import Keys
    from supalocal.project import Migration
    from supalocal.stack import Stack

    __version__: str

__all__ = [
    "AddressError",
    "DataInUseError",
    "Keys",
    "Migration",
    "MigrationError",
    "PortTakenError",
    "PostgresError",
    "PostgresMissingError",
    "PostgresStartError",
    "ProjectError",
    "SnapshotError",
    "Stack",
    "SupalocalError",
    "UnsuitableDatabaseError",
    "__version__",
]

_HOMES = {"Keys": "supalocal.keys", "Migration": "supalocal.project", "Stack": "supalocal.stack"}


def __getattr__(name: str) -> object:
    """Import what takes time when it is first asked for: the command must answer Ctrl-C at once."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("babelroom")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
