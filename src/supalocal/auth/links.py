"""Links, each with a code that does the same: `/admin/generate_link`, `/invite` and `/recover`.

No mail is sent. Whoever holds the secret key is told what it would bring; else the log is.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha224
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from aiohttp import web

from supalocal.auth import passwords
from supalocal.auth.caller import audience, require_admin
from supalocal.auth.errors import AuthError, failing, unsupported
from supalocal.auth.parameters import read_parameters
from supalocal.auth.redirects import redirect_target
from supalocal.auth.rendering import rendered_user
from supalocal.auth.rules import invalid, require_strong, valid_email
from supalocal.auth.signup import EMAIL
from supalocal.auth.users import (
    NewUser,
    add_user,
    change_user,
    email_is_taken,
    merged,
    require_unused_email,
    save_identity,
    user_by_email,
)

if TYPE_CHECKING:
    from supalocal.auth.parameters import Parameters
    from supalocal.auth.service import Service
    from supalocal.auth.users import Connection, User

_CODE_DIGITS = 6
_NOBODY = "user_not_found"
_RESERVED = frozenset("&=#")
_log = logging.getLogger(__name__)


class Link(StrEnum):
    """What a link is for."""

    SIGNUP = "signup"  # confirms a new user, who has a password
    INVITE = "invite"  # confirms a new user, who has none yet
    MAGIC = "magiclink"  # signs in
    RECOVERY = "recovery"  # signs in somebody who forgot the password
    CURRENT_EMAIL = "email_change_current"  # goes to the old address of somebody who moves
    NEW_EMAIL = "email_change_new"  # goes to the new one


@dataclass(frozen=True, slots=True)
class _Order:
    """The link that somebody asked for."""

    link: Link
    email: str
    new: NewUser
    new_email: str
    code: str

    @property
    def token(self) -> str:
        """What the link carries, and what is stored."""
        return token_hash(self.new_email if self.link is Link.NEW_EMAIL else self.email, self.code)


@dataclass(frozen=True, slots=True)
class _Made:
    """What came of an order: whom the link is for, and where it leads in the end."""

    order: _Order
    user: User
    url: str
    target: str


async def generate_link(service: Service, request: web.Request) -> web.Response:
    """The user, the link, and the code that does the same; a user who is not there yet is made for most kinds."""
    given = await read_parameters(request)
    made = await _make(_link(given.text("type")), given, service, request)
    return web.json_response(
        rendered_user(made.user)
        | {
            "action_link": made.url,
            "email_otp": made.order.code,
            "hashed_token": made.order.token,
            "verification_type": made.order.link,
            "redirect_to": made.target,
        }
    )


async def invite(service: Service, request: web.Request) -> web.Response:
    """The user who is invited."""
    require_admin(request, service)
    made = await _make(Link.INVITE, await read_parameters(request), service, request)
    _tell(made)
    return web.json_response(rendered_user(made.user))


async def recover(service: Service, request: web.Request) -> web.Response:
    """Nothing, so that nobody learns whose address it is."""
    given = await read_parameters(request)
    if not given.text("email"):
        raise invalid("Password recovery requires an email")
    if given.text("code_challenge"):
        raise unsupported(f"{request.method} {request.path} with a code_challenge")
    try:
        _tell(await _make(Link.RECOVERY, given, service, request))
    except AuthError as error:
        if error.code != _NOBODY:
            raise
    return web.json_response({})


def token_hash(address: str, code: str) -> str:
    """What is stored of a code that goes to the address."""
    return sha224((address + code).encode()).hexdigest()


async def _make(link: Link, given: Parameters, service: Service, request: web.Request) -> _Made:
    email = _email(given.text("email"))
    async with service.pool.connection() as connection:
        with failing("Database error finding user"):
            user = await user_by_email(connection, email, audience(request))
    order = await _order(link, given, email, user, service, request)
    async with service.transaction() as connection:
        user = await _ready(connection, order, user)
        with failing("Database error updating user"):
            user = await _noted(connection, order, user)
    target = redirect_target(service.config, request, given.text("redirect_to"))
    return _Made(order, user, _url(service, order, target), target)


def _tell(made: _Made) -> None:
    _log.warning(
        "No mail is sent. The one to %s would bring %s and the code %s", made.order.email, made.url, made.order.code
    )


async def _order(
    link: Link, given: Parameters, email: str, user: User | None, service: Service, request: web.Request
) -> _Order:
    password = given.text("password")
    if user is None and link is Link.MAGIC:
        link, password = Link.SIGNUP, secrets.token_urlsafe(32)
    if user is None and link not in (Link.SIGNUP, Link.INVITE):
        raise AuthError(404, _NOBODY, "User with this email not found")
    encrypted = ""
    if user is None and link is Link.SIGNUP:
        if not password:
            raise invalid("Signup requires a valid password")
        require_strong(password, service.config.minimum_password_length)
        encrypted = await passwords.hashed(password)
    new = NewUser(
        aud=audience(request),
        email=email,
        encrypted_password=encrypted,
        providers=(EMAIL,),
        user_metadata=given.members("data") or {},
    )
    moves = link in (Link.CURRENT_EMAIL, Link.NEW_EMAIL)
    new_email = _email(given.text("new_email")) if moves else ""
    return _Order(link, email, new, new_email, "".join(secrets.choice("0123456789") for _ in range(_CODE_DIGITS)))


def _link(name: str) -> Link:
    try:
        return Link(name)
    except ValueError as exc:
        raise invalid(f"Invalid email action link type requested: {name}") from exc


def _email(text: str) -> str:
    if not text:
        raise invalid("An email address is required")
    return valid_email(text)


async def _ready(connection: Connection, order: _Order, user: User | None) -> User:
    """The user whom the link is for."""
    if user is None:
        with failing("Database error saving new user"):
            user = await add_user(connection, order.new)
            data = {"email": order.email, "email_verified": False, "phone_verified": False}
            await save_identity(connection, user.id, EMAIL, data)
        return user
    if order.link in (Link.SIGNUP, Link.INVITE) and user.email_confirmed_at is not None:
        raise email_is_taken()
    if order.new_email:
        await require_unused_email(connection, order.new_email, user.aud, but=user.id)
    return user


async def _noted(connection: Connection, order: _Order, user: User) -> User:
    """The user with the token, which takes the place of one for the same purpose."""
    now = datetime.now(UTC)
    if order.link in (Link.MAGIC, Link.RECOVERY):
        return await change_user(connection, user.id, recovery_token=order.token, recovery_sent_at=now)
    if order.new_email:
        column = "email_change_token_new" if order.link is Link.NEW_EMAIL else "email_change_token_current"
        moving = {"email_change": order.new_email, "email_change_sent_at": now, "email_change_confirm_status": 0}
        return await change_user(connection, user.id, **moving, **{column: order.token})
    invited = {"invited_at": now} if order.link is Link.INVITE else {}
    data = merged(user.user_metadata, order.new.user_metadata) if order.link is Link.SIGNUP else user.user_metadata
    return await change_user(
        connection,
        user.id,
        confirmation_token=order.token,
        confirmation_sent_at=now,
        raw_user_meta_data=data,
        **invited,
    )


def _url(service: Service, order: _Order, target: str) -> str:
    kind = "email_change" if order.new_email else order.link
    leads = quote_plus(target) if _RESERVED & set(target) else target
    return f"{service.signer.issuer}/verify?token={order.token}&type={kind}&redirect_to={leads}"
