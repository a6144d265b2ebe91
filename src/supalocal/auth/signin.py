"""`POST /token`: a session for a password, or for a refresh token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from supalocal.auth import passwords
from supalocal.auth.caller import audience
from supalocal.auth.errors import AuthError, failing, unsupported
from supalocal.auth.parameters import read_parameters
from supalocal.auth.rotation import refresh
from supalocal.auth.rules import invalid, weakness
from supalocal.auth.sessions import Method, Origin, open_session
from supalocal.auth.users import user_by_email

if TYPE_CHECKING:
    from supalocal.auth.parameters import Parameters
    from supalocal.auth.service import Service
    from supalocal.auth.users import User

_UNSUPPORTED_GRANTS = ("pkce", "id_token", "web3")


async def token(service: Service, request: web.Request) -> web.Response:
    """The session that the query's `grant_type` asks for."""
    grant = request.query.get("grant_type", "")
    if grant == "web3" and not service.config.enable_web3:
        raise AuthError(422, "web3_provider_disabled", "Web3 provider is disabled")
    if grant in _UNSUPPORTED_GRANTS:
        raise unsupported(f"{request.method} {request.path}?grant_type={grant}")
    if grant == "password":
        return web.json_response(await _with_password(service, request))
    if grant == "refresh_token":
        given = await read_parameters(request)
        return web.json_response(await refresh(service, given.text("refresh_token"), Origin.of(request)))
    raise AuthError(400, "invalid_credentials", "unsupported_grant_type")


async def sso(_service: Service, _request: web.Request) -> web.Response:
    """Nothing: there is no identity provider, as on a project that has none."""
    raise AuthError(404, "saml_provider_disabled", "SAML 2.0 is disabled")


async def _with_password(service: Service, request: web.Request) -> dict[str, Any]:
    given = await read_parameters(request)
    email, password = _acceptable(given, service), given.text("password")
    # Hashes are compared outside of a transaction: it takes longer than all the rest.
    async with service.pool.connection() as connection:
        with failing("Database error querying schema"):
            user = await user_by_email(connection, email, audience(request))
    user = await _authenticated(user, password)
    async with service.transaction() as connection:
        session = await open_session(connection, service.signer, user, Method.PASSWORD, Origin.of(request))
    weak = weakness(password, service.config.minimum_password_length)
    return session | ({"weak_password": weak} if weak else {})


def _acceptable(given: Parameters, service: Service) -> str:
    email, phone = given.text("email"), given.text("phone")
    if email and phone:
        raise invalid("Only an email address or phone number should be provided on login.")
    if phone:
        raise AuthError(422, "phone_provider_disabled", "Phone logins are disabled")
    if not email:
        raise invalid("missing email or phone")
    if not service.config.enable_email_signup:
        raise AuthError(422, "email_provider_disabled", "Email logins are disabled")
    return email


async def _authenticated(user: User | None, password: str) -> User:
    if user is None:
        raise _wrong()
    if user.is_banned:
        raise AuthError(400, "user_banned", "User is banned")
    if not await passwords.matches(password, user.encrypted_password):
        raise _wrong()
    if user.email_confirmed_at is None:
        raise AuthError(400, "email_not_confirmed", "Email not confirmed")
    return user


def _wrong() -> AuthError:
    return AuthError(400, "invalid_credentials", "Invalid login credentials")
