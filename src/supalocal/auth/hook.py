"""The project's own function that has the last word on what a token claims: config.toml's custom_access_token hook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.types.json import Jsonb

from supalocal.auth import queries
from supalocal.auth.errors import AuthError, failing, unsupported

if TYPE_CHECKING:
    from supalocal.auth.users import Connection

_FUNCTION = re.compile(r"pg-functions://[^/]+/(?P<schema>[^/]+)/(?P<name>[^/]+)/?")
_REQUIRED = ("aud", "exp", "iat", "sub", "email", "phone", "role", "aal", "session_id", "is_anonymous")
_REFUSALS = range(400, 500)


async def customised(connection: Connection, uri: str, claims: dict[str, Any], method: str) -> dict[str, Any]:
    """The claims as the function at `uri` returns them; `method` is how the user signed in.

    Raises AuthError where the function refuses, fails, takes more than two seconds, or leaves out what is needed.
    """
    function = _FUNCTION.fullmatch(uri)
    if function is None:
        raise unsupported(f"The custom access token hook {uri}")
    call = sql.SQL(queries.CALL_HOOK).format(sql.Identifier(function["schema"], function["name"]))
    event = {"user_id": claims["sub"], "claims": claims, "authentication_method": method}
    with failing(f"Error running hook URI: {uri}"):
        await connection.execute(queries.LIMIT_HOOK)
        row = await (await connection.execute(call, [Jsonb(event)])).fetchone()
        await connection.execute(queries.UNLIMIT)
    return _accepted(row[0] if row else None)


def _accepted(returned: Any) -> dict[str, Any]:
    answer = returned if isinstance(returned, dict) else {}
    refusal = answer.get("error")
    if isinstance(refusal, dict) and refusal.get("message"):
        raise _refused(refusal)
    claims = answer.get("claims")
    if not isinstance(claims, dict):
        raise _invalid("claims")
    for name in _REQUIRED:
        if name not in claims:
            raise _invalid(name)
    return claims


def _refused(refusal: dict[str, Any]) -> AuthError:
    asked, message = refusal.get("http_code"), str(refusal["message"])
    if isinstance(asked, int) and asked in _REFUSALS:
        return AuthError(asked, "unknown", message)
    return AuthError(500, "unexpected_failure", message)


def _invalid(name: str) -> AuthError:
    message = f"output claims do not conform to the expected schema: \n- (root): {name} is required\n"
    return AuthError(500, "unexpected_failure", message)
