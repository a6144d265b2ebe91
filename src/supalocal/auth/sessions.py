"""Signing in and out: a session is a row of auth.sessions with a chain of refresh tokens."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from supalocal.auth import queries
from supalocal.auth.errors import failing
from supalocal.auth.hook import customised
from supalocal.auth.rendering import rendered_session
from supalocal.auth.users import change_user

if TYPE_CHECKING:
    from aiohttp import web

    from supalocal.auth.claims import Signer
    from supalocal.auth.users import Connection, User

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
REFRESH_TOKEN_LENGTH = 12


class Method(StrEnum):
    """How a user showed who they are."""

    ANONYMOUS = "anonymous"
    OTP = "otp"  # a link, or the code that came with it
    PASSWORD = "password"  # noqa: S105  a method's name
    REFRESH = "token_refresh"  # by a token; no session begins so


class Scope(StrEnum):
    """Which sessions of a user end at a sign-out."""

    GLOBAL = "global"  # all
    LOCAL = "local"  # the caller's own
    OTHERS = "others"  # all but the caller's own


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as a session remembers it."""

    user_agent: str
    ip: str

    @classmethod
    def of(cls, request: web.Request) -> Origin:
        """Read it off the request."""
        return cls(request.headers.get("User-Agent", ""), request.remote or "")


async def open_session(
    connection: Connection, signer: Signer, user: User, method: Method, origin: Origin
) -> dict[str, Any]:
    """Sign the user in; what the client is told comes back."""
    session = uuid4()
    with failing("Database error granting user"):
        given = {"session": session, "user": user.id, "user_agent": origin.user_agent, "ip": origin.ip}
        await connection.execute(queries.INSERT_SESSION, given)
        refresh_token = await add_refresh_token(connection, user.id, session)
        user = await change_user(connection, user.id, last_sign_in_at=datetime.now(UTC))
        await connection.execute(queries.INSERT_METHOD, [session, method])
    return await grant(connection, signer, user, session, refresh_token, method)


async def grant(
    connection: Connection, signer: Signer, user: User, session: UUID, refresh_token: str, method: Method
) -> dict[str, Any]:
    """A new access token of the session beside the refresh token; `method` is how it was come by."""
    rows = await (await connection.execute(queries.METHODS, [session])).fetchall()
    methods = [{"method": known, "timestamp": timestamp} for known, timestamp in rows]
    now = int(time.time())
    claims = signer.claims(user, session, methods, now)
    if signer.hook:
        claims = await customised(connection, signer.hook, claims, method)
    return rendered_session(
        user,
        access_token=signer.sign(claims),
        refresh_token=refresh_token,
        now=now,
        lifetime=signer.lifetime,
    )


async def add_refresh_token(connection: Connection, user: UUID, session: UUID, parent: str = "") -> str:
    """The session's new refresh token."""
    token = "".join(secrets.choice(_LETTERS) for _ in range(REFRESH_TOKEN_LENGTH))
    given = {"token": token, "user": str(user), "session": session, "parent": parent}
    await connection.execute(queries.INSERT_REFRESH_TOKEN, given)
    return token


async def end_sessions(connection: Connection, user: UUID, scope: Scope, session: UUID | None) -> None:
    """Sign the user out where the scope says; without a session of the caller, everywhere."""
    query = _ENDING[scope] if session is not None else queries.END_SESSIONS_OF_USER
    await connection.execute(query, {"user": user, "session": session})


_ENDING = {
    Scope.GLOBAL: queries.END_SESSIONS_OF_USER,
    Scope.LOCAL: queries.END_SESSION,
    Scope.OTHERS: queries.END_OTHER_SESSIONS,
}
