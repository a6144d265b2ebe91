"""`/verify`: a session for the token of a link, or for the code that came with it. Each serves once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from supalocal.auth import passwords, queries
from supalocal.auth.errors import AuthError, failing
from supalocal.auth.links import token_hash
from supalocal.auth.parameters import read_parameters
from supalocal.auth.redirects import redirect_target
from supalocal.auth.rules import invalid, valid_email, valid_phone
from supalocal.auth.sessions import Method, Origin, open_session
from supalocal.auth.signup import EMAIL, confirm_email
from supalocal.auth.users import change_user, save_identity, user_of_token

if TYPE_CHECKING:
    from supalocal.auth.parameters import Parameters
    from supalocal.auth.service import Service
    from supalocal.auth.users import Connection, User

_LIFETIME = 3600  # seconds, the Supabase CLI's otp_expiry
_BAD_LINK = "Email link is invalid or has expired"
_BAD_CODE = "Token has expired or is invalid"
_IN_FRAGMENT = ("access_token", "expires_at", "expires_in", "refresh_token", "token_type")
_OAUTH_ERRORS = {400: "invalid_request", 401: "unauthorized_client", 403: "access_denied", 500: "server_error"}
_QUERIES = {
    "signup": (queries.USER_BY_CONFIRMATION,),
    "invite": (queries.USER_BY_CONFIRMATION,),
    "recovery": (queries.USER_BY_RECOVERY,),
    "magiclink": (queries.USER_BY_RECOVERY,),
    "email": (queries.USER_BY_CONFIRMATION, queries.USER_BY_RECOVERY),
    "email_change": (queries.USER_BY_EMAIL_CHANGE,),
}
"""Where the token of each type is looked for; whoever has a code by mail need not know which of two it is."""


@dataclass(frozen=True, slots=True)
class _Proof:
    """What a client brings, and what it is told where that does not hold."""

    type: str
    token: str
    refusal: str


async def verify(service: Service, request: web.Request) -> web.Response:
    """The session for the body's `token_hash`, or for its `token` and address."""
    return web.json_response(await _session(service, request, _proof(await read_parameters(request))))


async def follow(service: Service, request: web.Request) -> web.Response:
    """The way to where a link leads, with the session or the refusal in the fragment."""
    kind, token = request.query.get("type", ""), request.query.get("token", "")
    if not kind:
        raise invalid("Verify requires a verification type")
    if not token:
        raise invalid("Verify requires a token or a token hash")
    try:
        session = await _session(service, request, _Proof(kind, token, _BAD_LINK))
    except AuthError as error:
        told = {"error_code": error.code, "error_description": error.message}
        if error.status in _OAUTH_ERRORS:
            told["error"] = _OAUTH_ERRORS[error.status]
    else:
        told = {name: session[name] for name in _IN_FRAGMENT} | {"type": kind}
    target = redirect_target(service.config, request)
    return web.Response(status=303, headers={"Location": f"{target}#{urlencode(sorted(told.items()))}"})


def _proof(given: Parameters) -> _Proof:
    """The checks come in the real server's order."""
    kind, code, token = given.text("type"), given.text("token"), given.text("token_hash")
    email, phone = given.text("email"), given.text("phone")
    if not kind:
        raise invalid("Verify requires a verification type")
    if bool(code) == bool(token):
        raise invalid("Verify requires either a token or a token hash")
    if token:
        if email or phone or given.text("redirect_to"):
            raise invalid("Only the token_hash and type should be provided")
        return _Proof(kind, token, _BAD_LINK)
    if bool(email) == bool(phone):
        raise invalid("Only an email address or phone number should be provided on verify")
    if phone:
        valid_phone(phone)
        raise _refused(_BAD_CODE)  # nobody gets a code by phone
    if kind not in _QUERIES:
        raise _refused(_BAD_CODE)
    return _Proof(kind, token_hash(valid_email(email), code), _BAD_CODE)


async def _session(service: Service, request: web.Request, proof: _Proof) -> dict[str, Any]:
    if proof.type not in _QUERIES:
        raise invalid("Invalid email verification type")
    temporary = await passwords.hashed(secrets.token_urlsafe(32)) if proof.type in ("invite", "email") else ""
    async with service.transaction() as connection:
        user = await _user(connection, proof)
        with failing("Database error updating user"):
            moves = proof.type == "email_change"
            user = await (_moved(connection, user) if moves else _confirmed(connection, user, temporary))
        return await open_session(connection, service.signer, user, Method.OTP, Origin.of(request))


async def _user(connection: Connection, proof: _Proof) -> User:
    with failing("Database error finding user from email link"):
        for query in _QUERIES[proof.type]:
            user = await user_of_token(connection, query, proof.token, lifetime=_LIFETIME)
            if user is not None:
                break
    if user is None:
        raise _refused(proof.refusal)
    if user.is_banned:
        raise AuthError(403, "user_banned", "User is banned")
    return user


async def _confirmed(connection: Connection, user: User, temporary: str) -> User:
    """The user, with a confirmed address. Who was invited gets a password, to be replaced by their own."""
    spent = {"recovery_token": "", "confirmation_token": ""}
    if temporary and user.invited_at is not None and not user.encrypted_password:
        spent["encrypted_password"] = temporary
    user = await change_user(connection, user.id, **spent)
    if user.email_confirmed_at is not None:
        return user
    if any(identity.provider == EMAIL and identity.email == user.email for identity in user.identities or ()):
        await save_identity(connection, user.id, EMAIL, {"email_verified": True})
    return await confirm_email(connection, user)


async def _moved(connection: Connection, user: User) -> User:
    """The user with the new address. One link is enough; where new users confirm, the real server asks for both."""
    await save_identity(connection, user.id, EMAIL, {"email": user.new_email, "email_verified": True})
    spent = {"email_change_token_current": "", "email_change_token_new": "", "email_change_confirm_status": 0}
    user = await change_user(connection, user.id, email=user.new_email, email_change="", is_anonymous=False, **spent)
    return user if user.email_confirmed_at is not None else await confirm_email(connection, user)


def _refused(message: str) -> AuthError:
    return AuthError(403, "otp_expired", message)
