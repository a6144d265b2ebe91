"""Stocks the place where the bundled Postgres looks for extensions first.

There are the stand-ins for those it lacks, and control files that let `postgres`, who is no superuser, create some of
its own: those that hosted projects let their `postgres` create.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Of a hosted project's supautils.privileged_extensions those that our Postgres has and does not trust by itself.
_PRIVILEGED = (
    "amcheck",
    "autoinc",
    "bloom",
    "dblink",
    "dict_xsyn",
    "earthdistance",
    "insert_username",
    "moddatetime",
    "pg_buffercache",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_walinspect",
    "pgrowlocks",
    "pgstattuple",
    "postgres_fdw",
    "refint",
    "vector",
)


def stock(shelf: Path, system: Path) -> None:
    """Write the files into the directory `shelf`; `system` is where the server's own extensions are."""
    for source in resources.files(__package__).iterdir():
        name, _, kind = source.name.replace("--", ".").partition(".")
        if kind.endswith(("control", "sql")) and not (system / f"{name}.control").exists():
            _put(shelf / source.name, source.read_bytes())
    for name in _PRIVILEGED:
        control = system / f"{name}.control"
        if control.exists():
            place = str(system).replace("'", "''")
            _put(shelf / control.name, control.read_bytes() + f"\ntrusted = true\ndirectory = '{place}'\n".encode())


def _put(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    file.chmod(0o644)
