"""The people in auth.users and their identities: found, added and changed, on the caller's connection."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from supalocal.auth import queries
from supalocal.auth.errors import AuthError, UnreadableUserError, failing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection

    Connection = AsyncConnection[Any]

AUTHENTICATED = "authenticated"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """One way to sign in."""

    id: UUID
    provider_id: str
    user_id: UUID
    identity_data: dict[str, Any]
    provider: str
    last_sign_in_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One person. Texts that are missing are ''; `identities` is None where they were not asked for."""

    id: UUID
    aud: str
    role: str
    email: str
    phone: str
    encrypted_password: str
    email_confirmed_at: datetime | None
    invited_at: datetime | None
    phone_confirmed_at: datetime | None
    confirmation_sent_at: datetime | None
    confirmed_at: datetime | None
    recovery_sent_at: datetime | None
    new_email: str
    email_change_sent_at: datetime | None
    new_phone: str
    phone_change_sent_at: datetime | None
    reauthentication_sent_at: datetime | None
    last_sign_in_at: datetime | None
    app_metadata: dict[str, Any]
    user_metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    banned_until: datetime | None
    deleted_at: datetime | None
    is_anonymous: bool
    is_banned: bool
    is_unreadable: bool
    identities: list[Identity] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What is known of a user before there is one; `providers` are those of the identities to come."""

    id: UUID | None = None
    aud: str = AUTHENTICATED
    email: str = ""
    phone: str = ""
    encrypted_password: str = ""
    providers: tuple[str, ...] = ()
    user_metadata: Mapping[str, Any]
    is_anonymous: bool = False


async def user_by_id(connection: Connection, user_id: UUID) -> User | None:
    """The user with their identities."""
    return await _one(connection, queries.USER_BY_ID, [user_id])


async def user_by_email(connection: Connection, email: str, aud: str) -> User | None:
    """The user who signs in with the address, with their identities."""
    return await _one(connection, queries.USER_BY_EMAIL, [email, aud])


async def user_of_token(connection: Connection, query: str, token: str, *, lifetime: int) -> User | None:
    """The user for whom a token was made at most `lifetime` seconds ago, locked until the transaction ends."""
    return await _one(connection, query, {"token": token, "lifetime": lifetime})


async def user_holding_email(connection: Connection, email: str, aud: str, but: UUID | None = None) -> User | None:
    """Whoever uses the address, the user `but` aside."""
    return await _one(connection, queries.USER_HOLDING_EMAIL, {"email": email, "aud": aud, "but": but})


async def user_holding_phone(connection: Connection, phone: str, aud: str, but: UUID | None = None) -> User | None:
    """Whoever uses the number, the user `but` aside."""
    return await _one(connection, queries.USER_HOLDING_PHONE, {"phone": phone, "aud": aud, "but": but})


async def require_unused_email(connection: Connection, email: str, aud: str, but: UUID | None = None) -> None:
    """Raise AuthError where somebody uses the address, the user `but` aside."""
    with failing("Database error checking email"):
        taken = await user_holding_email(connection, email, aud, but)
    if taken:
        raise email_is_taken()


def email_is_taken() -> AuthError:
    """What is said where an address is somebody's already."""
    return AuthError(422, "email_exists", "A user with this email address has already been registered")


async def page_of_users(
    connection: Connection, aud: str, *, page: int, per_page: int, filtered: str
) -> tuple[list[User], int]:
    """One page, newest first and without identities, and how many users there are."""
    given = {
        "aud": aud,
        "like": f"%{filtered}%" if filtered else None,
        "limit": per_page,
        "offset": max(page - 1, 0) * per_page,
    }
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        users = [_readable(user) for user in await (await cursor.execute(queries.USERS, given)).fetchall()]
    (count,) = await _row(connection, queries.USER_COUNT, given)
    return users, int(count)


async def add_user(connection: Connection, new: NewUser, role: str = AUTHENTICATED) -> User:
    """Insert the user; what the project's triggers made of the row comes back.

    The role follows in a statement of its own, as on the real server, where a trigger on insert does not see it.
    """
    user_id = new.id or uuid4()
    provided = {"provider": new.providers[0], "providers": list(new.providers)} if new.providers else {}
    given = {
        "id": user_id,
        "aud": new.aud,
        "email": new.email,
        "phone": new.phone,
        "encrypted_password": new.encrypted_password,
        "app_metadata": Jsonb(provided),
        "user_metadata": Jsonb(new.user_metadata),
        "is_anonymous": new.is_anonymous,
    }
    await connection.execute(queries.INSERT_USER, given)
    return await change_user(connection, user_id, role=role)


async def change_user(connection: Connection, user_id: UUID, **columns: Any) -> User:
    """Set the named columns of auth.users; the user as they are then comes back."""
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in columns.items()}
    settings = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in values
    )
    update = sql.SQL(queries.UPDATE_USER).format(settings, sql.Placeholder("_id"))
    await connection.execute(update, {**values, "_id": user_id})
    user = await user_by_id(connection, user_id)
    if user is None:
        raise AuthError(404, "user_not_found", "User not found")  # somebody deletes them just now
    return user


async def delete_user(connection: Connection, user_id: UUID) -> None:
    """Delete the user and whatever cascades from them."""
    await connection.execute(queries.DELETE_USER, [user_id])


async def save_identity(connection: Connection, user_id: UUID, provider: str, data: Mapping[str, Any]) -> None:
    """Add the identity of an `email` or `phone`, or merge into the one that the user has."""
    given = {"user": str(user_id), "provider": provider, "data": Jsonb({"sub": str(user_id), **data})}
    await connection.execute(queries.SAVE_IDENTITY, given)


def merged(current: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata after an update: members are set one by one, and null removes one."""
    return {name: value for name, value in {**current, **updates}.items() if name not in updates or value is not None}


async def _one(connection: Connection, query: str, given: Any) -> User | None:
    async with connection.cursor(row_factory=class_row(User)) as cursor:
        user = await (await cursor.execute(query, given)).fetchone()
    if user is None:
        return None
    async with connection.cursor(row_factory=class_row(Identity)) as cursor:
        identities = await (await cursor.execute(queries.IDENTITIES, [user.id])).fetchall()
    return replace(_readable(user), identities=identities)


def _readable(user: User) -> User:
    """The user, if the real server could read the row: it fails at null in these columns, and so must a seed file."""
    if user.is_unreadable:
        _log.warning(
            "Auth cannot read user %s: the row in auth.users has null in aud, role, created_at, updated_at or a token "
            "column. Hosted Supabase fails in the same way. Give them values; '' will do for tokens.",
            user.id,
        )
        raise UnreadableUserError(str(user.id))
    return user


async def _row(connection: Connection, query: str, given: Any) -> tuple[Any, ...]:
    row = await (await connection.execute(query, given)).fetchone()
    if row is None:
        raise AssertionError(query)
    return tuple(row)
