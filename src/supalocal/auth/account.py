"""`/user` and `/logout`: what signed-in users see and do of themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from supalocal.auth import passwords
from supalocal.auth.caller import audience, identify
from supalocal.auth.errors import AuthError, failing, unsupported
from supalocal.auth.parameters import read_parameters
from supalocal.auth.rendering import rendered_user
from supalocal.auth.rules import invalid, require_strong, valid_email
from supalocal.auth.sessions import Scope, end_sessions
from supalocal.auth.signup import EMAIL, confirm_email
from supalocal.auth.users import change_user, merged, require_unused_email, save_identity

if TYPE_CHECKING:
    from supalocal.auth.caller import Caller
    from supalocal.auth.parameters import Parameters
    from supalocal.auth.service import Service
    from supalocal.auth.users import Connection, User


async def show(service: Service, request: web.Request) -> web.Response:
    """The caller."""
    async with service.pool.connection() as connection:
        caller = await identify(request, service, connection)
    named = request.headers.get("X-JWT-AUD") or caller.claims.get("aud")
    if not named or named != caller.claims.get("aud"):
        raise invalid("Token audience doesn't match request audience")
    return web.json_response(rendered_user(caller.user))


async def update(service: Service, request: web.Request) -> web.Response:
    """The caller after the changes that the body asks for."""
    async with service.pool.connection() as connection:
        caller = await identify(request, service, connection)
    given = await read_parameters(request)
    email, password = _acceptable(given, caller.user, request, service), given.optional_text("password")
    if email:
        async with service.pool.connection() as connection:
            await require_unused_email(connection, email, audience(request), but=caller.user.id)
    encrypted = await _new_hash(caller.user, password)
    async with service.transaction() as connection:
        user = caller.user
        if password is not None:
            user = await _set_password(connection, caller, encrypted)
        with failing("Error updating user"):
            data = given.members("data")
            if data is not None:
                user = await change_user(connection, user.id, raw_user_meta_data=merged(user.user_metadata, data))
            if email:
                waits = not user.is_anonymous or service.config.enable_confirmations
                user = await (_await_email if waits else _set_email)(connection, user, email)
    return web.json_response(rendered_user(user))


async def link(service: Service, request: web.Request) -> web.Response:
    """Nothing: there is one way to sign in, and no other to link with it or to give up."""
    async with service.pool.connection() as connection:
        await identify(request, service, connection)
    if service.config.enable_manual_linking:
        raise unsupported(f"{request.method} {request.path}")
    raise AuthError(404, "manual_linking_disabled", "Manual linking is disabled")


async def sign_out(service: Service, request: web.Request) -> web.Response:
    """End the caller's sessions within the query's `scope`. Access tokens hold until they expire."""
    async with service.transaction() as connection:
        caller = await identify(request, service, connection)
        asked = request.query.get("scope") or Scope.GLOBAL
        try:
            scope = Scope(asked)
        except ValueError as exc:
            raise invalid(f'Unsupported logout scope "{asked}"') from exc
        with failing("Error logging out user"):
            await end_sessions(connection, caller.user.id, scope, caller.session)
    return web.Response(status=204)


def _acceptable(given: Parameters, user: User, request: web.Request, service: Service) -> str:
    """The new address, '' where it stays; the checks come in the real server's order."""
    email = valid_email(given.text("email")) if given.text("email") else ""
    if given.text("phone"):
        raise unsupported(f"{request.method} {request.path} with a phone number")
    if given.optional_text("password") is not None:
        require_strong(given.text("password"), service.config.minimum_password_length)
    if given.members("app_metadata") is not None:
        raise AuthError(403, "not_admin", "Updating app_metadata requires admin privileges")
    if user.is_anonymous and given.text("password") and not email:
        message = "Updating password of an anonymous user without an email or phone is not allowed"
        raise AuthError(422, "validation_failed", message)
    return email if email != user.email else ""


async def _new_hash(user: User, password: str | None) -> str:
    if not password:
        return ""
    if await passwords.matches(password, user.encrypted_password):
        raise AuthError(422, "same_password", "New password should be different from the old password.")
    return await passwords.hashed(password)


async def _set_password(connection: Connection, caller: Caller, encrypted: str) -> User:
    """A new password ends the sessions of whoever had the old one."""
    with failing("Error during password storage"):
        await end_sessions(connection, caller.user.id, Scope.OTHERS, caller.session)
        return await change_user(connection, caller.user.id, encrypted_password=encrypted)


async def _await_email(connection: Connection, user: User, email: str) -> User:
    """The change waits for a mail, and we send none; a link does it."""
    return await change_user(connection, user.id, email_change=email, email_change_sent_at=datetime.now(UTC))


async def _set_email(connection: Connection, user: User, email: str) -> User:
    """An anonymous user becomes a permanent one at once."""
    data = {"email": email, "email_verified": True, "phone_verified": False}
    await save_identity(connection, user.id, EMAIL, data)
    user = await change_user(
        connection,
        user.id,
        is_anonymous=False,
        email=email,
        raw_app_meta_data=merged(user.app_metadata, {"provider": EMAIL, "providers": [EMAIL]}),
    )
    return await confirm_email(connection, user)
