"""How the parts of a stack log in to its database."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from supalocal.errors import UnsuitableDatabaseError
from supalocal.server.postgres import PASSWORD, SUPERUSER, Postgres


@dataclass(frozen=True, slots=True)
class Database:
    """Connection strings, one for each login, and the two URLs that a user may connect with.

    `url` is the role `postgres`, as which migrations run; `admin_url` a superuser.
    """

    admin: str
    postgres: str
    authenticator: str
    auth: str
    url: str
    admin_url: str

    @classmethod
    def bundled(cls, server: Postgres) -> Database:
        """The database of a server of our own."""
        return cls(
            admin=server.conninfo(SUPERUSER),
            postgres=server.conninfo("postgres"),
            authenticator=server.conninfo("authenticator"),
            auth=server.conninfo("supabase_auth_admin"),
            url=server.url("postgres"),
            admin_url=server.url(SUPERUSER),
        )

    @classmethod
    def external(cls, url: str) -> Database:
        """Somebody else's database, given by a superuser's URL. Raises UnsuitableDatabaseError if it is no URL."""
        parts = urlsplit(url)
        if parts.scheme not in {"postgres", "postgresql"}:
            raise UnsuitableDatabaseError("The database URL must look like postgresql://user:password@host:port/name.")
        postgres = url if parts.username == "postgres" else _as_user(url, "postgres")
        return cls(url, postgres, _as_user(url, "authenticator"), _as_user(url, "supabase_auth_admin"), postgres, url)


async def connect(conninfo: str) -> psycopg.AsyncConnection:
    """An autocommit connection. Raises UnsuitableDatabaseError with Postgres's own words."""
    try:
        return await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
    except psycopg.OperationalError as exc:
        raise UnsuitableDatabaseError(f"Cannot connect to the database: {exc}") from exc


def _as_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user)}:{quote(PASSWORD)}@{host}"))
