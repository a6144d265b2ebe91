"""Who asks: the user and session behind a request's access token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from supalocal.auth import queries
from supalocal.auth.errors import UNEXPECTED, AuthError, failing
from supalocal.auth.users import AUTHENTICATED, user_by_id

if TYPE_CHECKING:
    from aiohttp import web

    from supalocal.auth.service import Service
    from supalocal.auth.users import Connection, User

_BEARER = re.compile(r"[Bb]earer (\S+)")
_AUDIENCE_HEADER = "X-JWT-AUD"
_ADMINS = ("service_role", "supabase_admin")


@dataclass(frozen=True, slots=True)
class Caller:
    """`session` is None for a token that names none."""

    user: User
    session: UUID | None
    claims: dict[str, Any]


async def identify(request: web.Request, service: Service, connection: Connection) -> Caller:
    """The user whose access token the request brings. Raises AuthError unless user and session still exist."""
    claims = _claims(request, service)
    user_id, session = _uuid(claims, "sub", 400), _uuid(claims, "session_id", 403)
    if user_id is None:
        raise AuthError(403, "bad_jwt", "invalid claim: missing sub claim")
    with failing(UNEXPECTED):
        user = await user_by_id(connection, user_id)
    if user is None:
        raise AuthError(403, "user_not_found", "User from sub claim in JWT does not exist")
    if session is not None and not await _exists(connection, session, user_id):
        raise AuthError(403, "session_not_found", "Session from session_id claim in JWT does not exist")
    return Caller(user, session, claims)


def require_admin(request: web.Request, service: Service) -> None:
    """Raise AuthError unless the request brings the secret key, in either form."""
    if _claims(request, service).get("role") not in _ADMINS:
        raise AuthError(403, "not_admin", "User not allowed")


def audience(request: web.Request) -> str:
    """Among whom a user is looked for: `authenticated`, if the request names no other."""
    return request.headers.get(_AUDIENCE_HEADER) or AUTHENTICATED


def _claims(request: web.Request, service: Service) -> dict[str, Any]:
    bearer = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if bearer is None:
        raise AuthError(401, "no_authorization", "This endpoint requires a valid Bearer token")
    return service.signer.verify(bearer[1])


def _uuid(claims: dict[str, Any], name: str, status: int) -> UUID | None:
    value = claims.get(name)
    if not value:
        return None
    try:
        return UUID(str(value))
    except ValueError as exc:
        raise AuthError(status, "bad_jwt", f"invalid claim: {name} claim must be a UUID") from exc


async def _exists(connection: Connection, session: UUID, user: UUID) -> bool:
    row = await (await connection.execute(queries.SESSION_EXISTS, [session, user])).fetchone()
    return row is not None and bool(row[0])
