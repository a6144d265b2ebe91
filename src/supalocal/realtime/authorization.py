"""What policies on realtime.messages let a client do in a private channel."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, LiteralString

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.tokens import Identity

log = logging.getLogger(__name__)
Extension = Literal["broadcast", "presence"]
# A policy may hang; those who wait behind it must not.
_SECONDS = 5


class UnauthorizedError(Exception):
    """No policy lets the client do it."""


class PolicyError(Exception):
    """A policy fails, or the client's role does not exist."""


class Authorizer:
    """Asks the policies, over a connection that is opened when the first private channel needs it.

    The rows that test a policy are rolled back; see realtime.readable and realtime.writable.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection | None = None
        self._opening = asyncio.Lock()

    async def readable(
        self, channel: str, identity: Identity, headers: str, extensions: list[Extension]
    ) -> frozenset[Extension]:
        """Return the extensions that the client may receive; PolicyError, or psycopg.OperationalError."""
        values = [identity.role, identity.claims, headers, channel, extensions]
        found: list[Extension] = await self._ask(queries.READABLE, values)
        return frozenset(found)

    async def writable(self, channel: str, identity: Identity, headers: str, extension: Extension) -> bool:
        """Return whether the client may send; PolicyError, or psycopg.OperationalError."""
        return bool(await self._ask(queries.WRITABLE, [identity.role, identity.claims, headers, channel, extension]))

    async def close(self) -> None:
        """End the connection."""
        if self._connection:
            await self._connection.close()

    async def _ask(self, query: LiteralString, values: Sequence[object]) -> Any:
        try:
            return await self._ask_once(query, values)
        except psycopg.OperationalError:
            # A server that was restarted has ended the connection unnoticed.
            return await self._ask_once(query, values)

    async def _ask_once(self, query: LiteralString, values: Sequence[object]) -> Any:
        try:
            connection = await self._opened()
            row = await (await connection.execute(query, values)).fetchone()
        except psycopg.errors.QueryCanceled as exc:
            raise PolicyError(f"a policy took longer than {_SECONDS} s") from exc
        except psycopg.OperationalError:
            raise
        except psycopg.Error as exc:
            raise PolicyError(str(exc)) from exc
        return row[0] if row else None

    async def _opened(self) -> psycopg.AsyncConnection:
        async with self._opening:
            if self._connection is None or self._connection.closed:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._dsn,
                    autocommit=True,
                    options=f"{queries.SETTINGS} -c statement_timeout={_SECONDS}s",
                    application_name="supalocal realtime policies",
                )
            return self._connection


class Access:
    """What one channel may do: everything in a public room; in a private one what the policies let its token do.

    Reading is asked when the channel is joined and when its token changes, writing at the first attempt after that.
    """

    def __init__(self, authorizer: Authorizer, channel: str, headers: str, *, is_private: bool) -> None:
        self.is_private = is_private
        self._authorizer, self._channel, self._headers = authorizer, channel, headers
        self._identity: Identity | None = None
        self._asked: frozenset[Extension] = frozenset()
        self._readable: frozenset[Extension] = frozenset()
        self._writable: dict[Extension, bool] = {}

    @property
    def reads_broadcasts(self) -> bool:
        """Whether broadcasts reach the channel."""
        return not self.is_private or "broadcast" in self._readable

    @property
    def reads_presence(self) -> bool:
        """Whether it learns who is present."""
        return not self.is_private or "presence" in self._readable

    async def grant(self, identity: Identity, *, with_presence: bool) -> None:
        """Ask the policies what the identity may receive; UnauthorizedError when that is nothing, or less than before.

        Raises psycopg.OperationalError without a database.
        """
        if not self.is_private:
            return
        before = self._readable
        self._identity, self._writable = identity, {}
        wanted: frozenset[Extension] = frozenset(("broadcast", "presence") if with_presence else ("broadcast",))
        self._readable = await self._ask_readable(self._asked | wanted)
        if not self._readable:
            raise UnauthorizedError(f"You do not have permissions to read from this Channel topic: {self._channel}")
        if not before <= self._readable:
            raise UnauthorizedError(f"You no longer have permission to read from this Channel topic: {self._channel}")

    async def _ask_readable(self, extensions: frozenset[Extension]) -> frozenset[Extension]:
        found: frozenset[Extension] = frozenset()
        try:
            if self._identity:
                asked = sorted(extensions)
                found = await self._authorizer.readable(self._channel, self._identity, self._headers, asked)
        except PolicyError as exc:
            log.warning("RlsPolicyError: %s: %s", self._channel, exc)
        self._asked = extensions
        return found

    async def writes(self, extension: Extension) -> bool:
        """Return whether the channel may send. A policy that fails says no, and is asked again.

        Raises psycopg.OperationalError without a database.
        """
        if not self.is_private:
            return True
        try:
            if extension not in self._writable and self._identity:
                allowed = await self._authorizer.writable(self._channel, self._identity, self._headers, extension)
                self._writable[extension] = allowed
        except PolicyError as exc:
            log.warning("RlsPolicyError: %s: %s", self._channel, exc)
        return self._writable.get(extension, False)

    async def enable_presence(self) -> None:
        """Ask about presence too: a channel that did not want to know of it is now present itself."""
        if self.is_private and "presence" not in self._asked:
            self._readable = await self._ask_readable(self._asked | {"presence"})


def seen_headers(headers: Mapping[str, str]) -> str:
    """Return what policies see of a request's headers, as JSON text: as on the real server, what begins with x-."""
    return json.dumps({name.lower(): value for name, value in headers.items() if name.lower().startswith("x-")})
