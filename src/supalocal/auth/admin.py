"""`/admin/users`: what the secret key may do with users."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from supalocal.auth import passwords
from supalocal.auth.caller import audience
from supalocal.auth.errors import AuthError, failing, unsupported
from supalocal.auth.parameters import Parameters, read_parameters
from supalocal.auth.rendering import rendered_user
from supalocal.auth.rules import LONGEST_PASSWORD, ban_duration, invalid, require_strong, valid_email, valid_phone
from supalocal.auth.sessions import Scope, end_sessions
from supalocal.auth.signup import confirm_email
from supalocal.auth.users import (
    AUTHENTICATED,
    NewUser,
    add_user,
    change_user,
    delete_user,
    merged,
    page_of_users,
    require_unused_email,
    save_identity,
    user_by_id,
    user_holding_phone,
)

if TYPE_CHECKING:
    from supalocal.auth.service import Service
    from supalocal.auth.users import Connection, User

_PER_PAGE = 50
_MOST_DIGITS = 9


async def list_users(service: Service, request: web.Request) -> web.Response:
    """One page of users, newest first, and the headers that count and link the pages."""
    page, per_page = _number(request, "page", 1), _number(request, "per_page", _PER_PAGE)
    if per_page == 0:
        raise invalid("Bad Pagination Parameters: per_page must be greater than 0")
    async with service.pool.connection() as connection:
        with failing("Database error finding users"):
            users, count = await page_of_users(
                connection, audience(request), page=page, per_page=per_page, filtered=request.query.get("filter", "")
            )
    body = {"users": [rendered_user(user) for user in users], "aud": audience(request)}
    headers = {"X-Total-Count": str(count), "Link": _links(request, page, -(-count // per_page))}
    return web.json_response(body, headers=headers)


async def show_user(service: Service, request: web.Request) -> web.Response:
    """The user."""
    async with service.pool.connection() as connection:
        return web.json_response(rendered_user(await _user(connection, request)))


async def create_user(service: Service, request: web.Request) -> web.Response:
    """The new user, confirmed only where the body says so."""
    given = await read_parameters(request)
    new = await _new_user(given, request)
    async with service.transaction() as connection:
        await _require_unused(connection, new.email, new.phone, new.aud)
        with failing("Database error creating new user"):
            user = await add_user(connection, new, given.text("role").strip() or AUTHENTICATED)
            for provider, address in (("email", new.email), ("phone", new.phone)):
                if address:
                    data = {provider: address, "email_verified": False, "phone_verified": False}
                    await save_identity(connection, user.id, provider, data)
            user = await _apply(connection, user, given)
    return web.json_response(rendered_user(user))


async def update_user(service: Service, request: web.Request) -> web.Response:
    """The user after the changes that the body asks for."""
    given = await read_parameters(request)
    email, phone = _addresses(given)
    password = given.optional_text("password")
    if password is not None:
        require_strong(password, service.config.minimum_password_length)
    encrypted = await passwords.hashed(password) if password else ""
    async with service.transaction() as connection:
        user = await _user(connection, request)
        await _require_unused(connection, email, phone, user.aud, but=user.id)
        with failing("Error updating user"):
            if password is not None:
                await change_user(connection, user.id, encrypted_password=encrypted)
                await end_sessions(connection, user.id, Scope.GLOBAL, None)
            await _set_address(connection, user, "email", email, confirmed=given.flag("email_confirm"))
            await _set_address(connection, user, "phone", phone, confirmed=given.flag("phone_confirm"))
            user = await change_user(connection, user.id, role=given.text("role").strip() or user.role)
            user = await _apply(connection, user, given)
    return web.json_response(rendered_user(user))


async def remove_user(service: Service, request: web.Request) -> web.Response:
    """Nothing; the user is gone, with what references them `on delete cascade`."""
    given = await read_parameters(request) if await request.read() else Parameters({})
    if given.flag("should_soft_delete"):
        raise unsupported(f"{request.method} {request.path} with should_soft_delete")
    async with service.transaction() as connection:
        user = await _user(connection, request)
        with failing("Database error deleting user"):
            await delete_user(connection, user.id)
    return web.json_response({})


async def _user(connection: Connection, request: web.Request) -> User:
    """The user whom the path's last part names."""
    try:
        user_id = UUID(request.path.rstrip("/").rpartition("/")[2])
    except ValueError as exc:
        raise AuthError(404, "validation_failed", "user_id must be an UUID") from exc
    with failing("Database error loading user"):
        user = await user_by_id(connection, user_id)
    if user is None:
        raise AuthError(404, "user_not_found", "User not found")
    return user


async def _new_user(given: Parameters, request: web.Request) -> NewUser:
    email, phone = _addresses(given)
    if not email and not phone:
        raise invalid("Cannot create a user without either an email or phone")
    return NewUser(
        id=_chosen_id(given.text("id")),
        aud=given.text("aud") or audience(request),
        email=email,
        phone=phone,
        encrypted_password=await _chosen_hash(given),
        providers=tuple(name for name, address in (("email", email), ("phone", phone)) if address),
        user_metadata=given.members("user_metadata") or {},
    )


def _addresses(given: Parameters) -> tuple[str, str]:
    """Address and number, '' where they are not given."""
    email, phone = given.text("email"), given.text("phone")
    return valid_email(email) if email else "", valid_phone(phone) if phone else ""


def _chosen_id(text: str) -> UUID | None:
    if not text:
        return None
    try:
        chosen = UUID(text)
    except ValueError as exc:
        raise invalid("ID must conform to the uuid v4 format") from exc
    if not chosen.int:
        raise invalid("ID cannot be a nil uuid")
    return chosen


async def _chosen_hash(given: Parameters) -> str:
    password, given_hash = given.text("password"), given.text("password_hash")
    if given.optional_text("password") is not None and given_hash:
        raise invalid("Only a password or a password hash should be provided")
    if given_hash:
        if not passwords.is_hash(given_hash):
            raise AuthError(500, "unexpected_failure", "Error creating user")
        return given_hash
    if len(password.encode()) > LONGEST_PASSWORD:
        raise invalid(f"bcrypt: password length exceeds {LONGEST_PASSWORD} bytes")
    return await passwords.hashed(password or secrets.token_urlsafe(32))


async def _require_unused(connection: Connection, email: str, phone: str, aud: str, but: UUID | None = None) -> None:
    if email:
        await require_unused_email(connection, email, aud, but)
    if phone:
        with failing("Database error checking phone"):
            taken = await user_holding_phone(connection, phone, aud, but)
        if taken:
            raise AuthError(422, "phone_exists", "Phone number already registered by another user")


async def _set_address(connection: Connection, user: User, provider: str, address: str, *, confirmed: bool) -> None:
    if not address:
        return
    data = {"email_verified": False, "phone_verified": False, provider: address, f"{provider}_verified": confirmed}
    await save_identity(connection, user.id, provider, data)
    await change_user(connection, user.id, **{provider: address}, is_anonymous=user.is_anonymous and not confirmed)


async def _apply(connection: Connection, user: User, given: Parameters) -> User:
    """Confirm, merge the metadata and ban, as the body says."""
    if given.flag("email_confirm"):
        user = await confirm_email(connection, user)
    columns: dict[str, Any] = {
        "raw_app_meta_data": merged(user.app_metadata, given.members("app_metadata") or {}),
        "raw_user_meta_data": merged(user.user_metadata, given.members("user_metadata") or {}),
    }
    if given.flag("phone_confirm"):
        columns["phone_confirmed_at"] = datetime.now(UTC)
    if given.text("ban_duration"):
        length = ban_duration(given.text("ban_duration"))
        columns["banned_until"] = length and datetime.now(UTC) + length
    return await change_user(connection, user.id, **columns)


def _number(request: web.Request, name: str, usual: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise invalid(f'Bad Pagination Parameters: strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def _links(request: web.Request, page: int, last: int) -> str:
    def link(number: int, relation: str) -> str:
        query = urlencode(sorted({**request.query, "page": str(number)}.items()))
        return f'</admin/users?{query}>; rel="{relation}"'

    return ", ".join([*([link(page + 1, "next")] if last > page else []), link(last, "last")])
