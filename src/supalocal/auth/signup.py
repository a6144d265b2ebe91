"""`POST /signup`: a new user, anonymous or with an address, who is signed in at once or has to confirm it first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from aiohttp import web

from supalocal.auth import passwords
from supalocal.auth.caller import audience
from supalocal.auth.errors import AuthError, failing
from supalocal.auth.parameters import read_parameters
from supalocal.auth.rendering import rendered_stranger, rendered_user
from supalocal.auth.rules import invalid, require_strong, valid_email
from supalocal.auth.sessions import Method, Origin, open_session
from supalocal.auth.users import (
    NewUser,
    add_user,
    change_user,
    merged,
    save_identity,
    user_holding_email,
)

if TYPE_CHECKING:
    from supalocal.auth.parameters import Parameters
    from supalocal.auth.service import Service
    from supalocal.auth.users import Connection, User
    from supalocal.project import Config

EMAIL = "email"
_EMAIL_INDEX = "users_email_partial_key"


async def sign_up(service: Service, request: web.Request) -> web.Response:
    """The session of a new user, or the user who has to confirm. Without an address and a number it is anonymous."""
    given = await read_parameters(request)
    if given.text("email") or given.text("phone"):
        return web.json_response(await _with_email(service, request, given))
    if not service.config.enable_anonymous_sign_ins:
        raise AuthError(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")
    return web.json_response(await _anonymously(service, request, given))


async def _anonymously(service: Service, request: web.Request, given: Parameters) -> dict[str, Any]:
    _require_signup(service.config)
    new = NewUser(aud=audience(request), user_metadata=given.members("data") or {}, is_anonymous=True)
    async with service.transaction() as connection:
        with failing("Database error creating anonymous user"):
            user = await add_user(connection, new)
        return await open_session(connection, service.signer, user, Method.ANONYMOUS, Origin.of(request))


async def _with_email(service: Service, request: web.Request, given: Parameters) -> dict[str, Any]:
    email = _acceptable(given, service.config)
    new = NewUser(
        aud=audience(request),
        email=email,
        encrypted_password=await passwords.hashed(given.text("password")),
        providers=(EMAIL,),
        user_metadata=given.members("data") or {},
    )
    async with service.transaction() as connection:
        user = await _unconfirmed(connection, new)
        if user is None and service.config.enable_confirmations:
            return rendered_stranger(new)
        if user is None:
            raise _taken()
        user = await _identified(connection, user, new)
        with failing("Database error updating user"):
            if service.config.enable_confirmations:
                return rendered_user(await change_user(connection, user.id, confirmation_sent_at=datetime.now(UTC)))
            user = await confirm_email(connection, user)
        return await open_session(connection, service.signer, user, Method.PASSWORD, Origin.of(request))


def _acceptable(given: Parameters, config: Config) -> str:
    """The address to sign up with; the checks come in the real server's order."""
    _require_signup(config)
    if not given.text("password"):
        raise invalid("Signup requires a valid password")
    require_strong(given.text("password"), config.minimum_password_length)
    if given.text("email") and given.text("phone"):
        raise invalid("Only an email address or phone number should be provided on signup.")
    if given.text("phone"):
        raise AuthError(400, "phone_provider_disabled", "Phone signups are disabled")
    if not config.enable_email_signup:
        raise AuthError(400, "email_provider_disabled", "Email signups are disabled")
    return valid_email(given.text("email"))


def _require_signup(config: Config) -> None:
    if not config.enable_signup:
        raise AuthError(422, "signup_disabled", "Signups not allowed for this instance")


async def _unconfirmed(connection: Connection, new: NewUser) -> User | None:
    """The new user, or the one who never confirmed the address, whose password stays; None if it is taken."""
    with failing("Database error finding user"):
        user = await user_holding_email(connection, new.email, new.aud)
    if user is None:
        with failing("Database error saving new user"):
            return await _added(connection, new)
    return user if user.email_confirmed_at is None else None


async def _added(connection: Connection, new: NewUser) -> User | None:
    try:
        return await add_user(connection, new)
    except psycopg.errors.UniqueViolation as exc:
        if exc.diag.constraint_name == _EMAIL_INDEX:
            return None  # somebody signed up with it since we looked
        raise


async def _identified(connection: Connection, user: User, new: NewUser) -> User:
    data = {"email": new.email, "email_verified": False, "phone_verified": False}
    data = {**new.user_metadata, "sub": str(user.id), **data}
    with failing("Database error updating user"):
        await save_identity(connection, user.id, EMAIL, data)
        return await change_user(
            connection,
            user.id,
            raw_user_meta_data=merged(user.user_metadata, data),
            raw_app_meta_data=merged(user.app_metadata, {"provider": EMAIL, "providers": [EMAIL]}),
        )


async def confirm_email(connection: Connection, user: User) -> User:
    """The user with a confirmed address."""
    user = await change_user(connection, user.id, email_confirmed_at=datetime.now(UTC), confirmation_token="")
    verified = merged(user.user_metadata, {"email_verified": True})
    return await change_user(connection, user.id, raw_user_meta_data=verified)


def _taken() -> AuthError:
    return AuthError(422, "user_already_exists", "User already registered")
