"""A local Supabase without Docker: a real Postgres, and REST, Realtime and Auth with Supabase's wire protocols."""

from importlib.metadata import version as _version

from supalocal.errors import (
    DataInUseError,
    MigrationError,
    PortTakenError,
    PostgresError,
    PostgresMissingError,
    PostgresStartError,
    ProjectError,
    SupalocalError,
    UnsuitableDatabaseError,
)
from supalocal.keys import Keys
from supalocal.stack import Stack

__all__ = [
    "DataInUseError",
    "Keys",
    "MigrationError",
    "PortTakenError",
    "PostgresError",
    "PostgresMissingError",
    "PostgresStartError",
    "ProjectError",
    "Stack",
    "SupalocalError",
    "UnsuitableDatabaseError",
    "__version__",
]

__version__ = _version("babelroom")
