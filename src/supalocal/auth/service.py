"""What every endpoint of Auth works with."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool

    from supalocal.auth.claims import Signer
    from supalocal.project import Config


@dataclass(frozen=True, slots=True)
class Service:
    """The database as `supabase_auth_admin`, the project's settings, and who signs tokens."""

    pool: AsyncConnectionPool[Any]
    config: Config
    signer: Signer

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection in a transaction, which is undone if the block raises."""
        async with self.pool.connection() as connection, connection.transaction():
            yield connection
