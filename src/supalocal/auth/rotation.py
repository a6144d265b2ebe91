"""Where a refresh token is rotated: each is used once, and an old one that comes back gives its whole family away.

The row of the session is the lock of its family of tokens: whoever rotates or revokes holds it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from supalocal.auth import queries
from supalocal.auth.errors import UNEXPECTED, AuthError, failing
from supalocal.auth.rules import invalid
from supalocal.auth.sessions import REFRESH_TOKEN_LENGTH, Method, Origin, add_refresh_token, grant
from supalocal.auth.users import user_by_id

if TYPE_CHECKING:
    from uuid import UUID

    from supalocal.auth.service import Service
    from supalocal.auth.users import Connection, User
    from supalocal.project import Config

_TOKEN = re.compile(r"[a-z0-9]+", re.ASCII)


class Move(Enum):
    """What becomes of a refresh token that a client brings."""

    ROTATE = auto()  # it is spent, and a child takes its place
    REPEAT = auto()  # the client may have missed the answer: it gets the child once more
    REFUSE = auto()  # it was spent long ago: somebody else may have it


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`age` is in seconds since it was issued or revoked."""

    token: str
    revoked: bool
    age: float


@dataclass(frozen=True, slots=True)
class ActiveToken:
    """The one of a family that is not spent; `parent` is the one whose place it took, '' for the first."""

    token: str
    parent: str


@dataclass(frozen=True, slots=True)
class _Session:
    user_id: UUID
    is_over: bool


def decide(brought: RefreshToken, active: ActiveToken | None, reuse_interval: float) -> Move:
    """What to do with the token, given the family's active one and how many seconds a spent one may be used again."""
    if not brought.revoked:
        return Move.ROTATE
    if active is not None and active.parent == brought.token:
        return Move.REPEAT
    return Move.ROTATE if brought.age <= reuse_interval else Move.REFUSE


async def refresh(service: Service, token: str, origin: Origin) -> dict[str, Any]:
    """The session's next access and refresh token. Raises AuthError for a token that does not hold."""
    if len(token) != REFRESH_TOKEN_LENGTH:
        raise invalid("Refresh token is not valid")
    if not _TOKEN.fullmatch(token):
        raise _not_found()
    async with service.transaction() as connection:
        session_id, user = await _locked_session(connection, token)
        issued = await _rotate(connection, session_id, user, token, service.config)
        if issued is not None:
            given = {"session": session_id, "user_agent": origin.user_agent, "ip": origin.ip}
            await connection.execute(queries.NOTE_REFRESH, given)
            return await grant(connection, service.signer, user, session_id, issued, Method.REFRESH)
    # Only here: raised within, it would undo that the family was revoked.
    raise _refused("refresh_token_already_used", "Already Used")


async def _locked_session(connection: Connection, token: str) -> tuple[UUID, User]:
    found = await (await connection.execute(queries.SESSION_OF_REFRESH_TOKEN, [token])).fetchone()
    if found is None:
        raise _not_found()
    (session_id,) = found
    async with connection.cursor(row_factory=class_row(_Session)) as cursor:
        session = await (await cursor.execute(queries.LOCK_SESSION, [session_id])).fetchone()
    if session is None:
        raise _refused("session_not_found", "No Valid Session Found")
    with failing(UNEXPECTED):
        user = await user_by_id(connection, session.user_id)
    if user is None:
        raise _not_found()
    if user.is_banned:
        raise _refused("user_banned", "User Banned")
    if session.is_over:
        raise _refused("session_expired", "Session Expired")
    return session_id, user


async def _rotate(connection: Connection, session_id: UUID, user: User, token: str, config: Config) -> str | None:
    """The refresh token to hand out; None if the one that was brought is refused."""
    async with connection.cursor(row_factory=class_row(RefreshToken)) as cursor:
        brought = await (await cursor.execute(queries.REFRESH_TOKEN, [token])).fetchone()
    if brought is None:
        raise _not_found()
    async with connection.cursor(row_factory=class_row(ActiveToken)) as cursor:
        active = await (await cursor.execute(queries.ACTIVE_REFRESH_TOKEN, [session_id])).fetchone()
    move = decide(brought, active, config.refresh_token_reuse_interval)
    if move is Move.REPEAT and active is not None:
        return active.token
    if move is Move.ROTATE:
        await connection.execute(queries.REVOKE_REFRESH_TOKEN, [token])
        return await add_refresh_token(connection, user.id, session_id, parent=token)
    if config.enable_refresh_token_rotation:
        await connection.execute(queries.REVOKE_FAMILY, [session_id])
    return None


def _not_found() -> AuthError:
    return _refused("refresh_token_not_found", "Refresh Token Not Found")


def _refused(code: str, why: str) -> AuthError:
    return AuthError(400, code, f"Invalid Refresh Token: {why}")
