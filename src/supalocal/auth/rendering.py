"""Users and sessions as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from supalocal.auth.users import Identity, NewUser, User


def rendered_user(user: User) -> dict[str, Any]:
    """The user as clients see them; what is empty is left out where the real server leaves it out."""
    return {
        "id": str(user.id),
        "aud": user.aud,
        "role": user.role,
        "email": user.email,
        **_present(email_confirmed_at=user.email_confirmed_at, invited_at=user.invited_at),
        "phone": user.phone,
        **_present(
            phone_confirmed_at=user.phone_confirmed_at,
            confirmation_sent_at=user.confirmation_sent_at,
            confirmed_at=user.confirmed_at,
            recovery_sent_at=user.recovery_sent_at,
            new_email=user.new_email,
            email_change_sent_at=user.email_change_sent_at,
            new_phone=user.new_phone,
            phone_change_sent_at=user.phone_change_sent_at,
            reauthentication_sent_at=user.reauthentication_sent_at,
            last_sign_in_at=user.last_sign_in_at,
        ),
        "app_metadata": user.app_metadata,
        "user_metadata": user.user_metadata,
        "identities": None if user.identities is None else [_identity(identity) for identity in user.identities],
        "created_at": _moment(user.created_at),
        "updated_at": _moment(user.updated_at),
        **_present(banned_until=user.banned_until, deleted_at=user.deleted_at),
        "is_anonymous": user.is_anonymous,
    }


def rendered_stranger(new: NewUser) -> dict[str, Any]:
    """A user who is none, for whoever asks after an address that is somebody's: only the identities are missing."""
    now = _moment(datetime.now(UTC))
    return {
        "id": str(uuid4()),
        "aud": new.aud,
        "role": "",
        "email": new.email,
        "phone": new.phone,
        "confirmation_sent_at": now,
        "app_metadata": {"provider": new.providers[0], "providers": list(new.providers)},
        "user_metadata": new.user_metadata,
        "identities": [],
        "created_at": now,
        "updated_at": now,
        "is_anonymous": False,
    }


def rendered_session(user: User, *, access_token: str, refresh_token: str, now: int, lifetime: int) -> dict[str, Any]:
    """What sign-in and refresh answer; `now` in seconds since 1970, `lifetime` in seconds."""
    return {
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": lifetime,
        "expires_at": now + lifetime,
        "refresh_token": refresh_token,
        "user": rendered_user(user),
    }


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "identity_id": str(identity.id),
        "id": identity.provider_id,
        "user_id": str(identity.user_id),
        "identity_data": identity.identity_data,
        "provider": identity.provider,
        **_present(
            last_sign_in_at=identity.last_sign_in_at,
            created_at=identity.created_at,
            updated_at=identity.updated_at,
            email=identity.email,
        ),
    }


def _present(**members: datetime | str | None) -> dict[str, str]:
    return {name: value if isinstance(value, str) else _moment(value) for name, value in members.items() if value}


def _moment(value: datetime) -> str:
    """RFC 3339 in UTC, without the zeros that Go's encoder trims."""
    text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"
