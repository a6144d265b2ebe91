"""What an address, a phone number and a password must look like."""

from __future__ import annotations

import re
from datetime import timedelta

from supalocal.auth.errors import AuthError

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_PHONE = re.compile(r"[1-9]\d{1,14}", re.ASCII)
_LONGEST_EMAIL = 255
LONGEST_PASSWORD = 72
"""Bytes; bcrypt looks at no more."""

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|ms|h|m|s))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|h|m|s)", re.ASCII)
_LONGEST_SECONDS = 2**63 / 1e9  # Go counts nanoseconds
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def valid_email(email: str) -> str:
    """The address in lower case; raises AuthError for what is none."""
    if len(email.encode()) > _LONGEST_EMAIL:
        raise invalid("An email address is too long")
    if not _EMAIL.fullmatch(email):
        raise invalid("Unable to validate email address: invalid format")
    return email.lower()


def valid_phone(phone: str) -> str:
    """The number's digits; raises AuthError for what is none."""
    digits = phone.strip().replace(" ", "").removeprefix("+")
    if not _PHONE.fullmatch(digits):
        raise invalid("Invalid phone number format (E.164 required)")
    return digits


def weakness(password: str, minimum: int) -> dict[str, object] | None:
    """Why a password is too weak, as clients are told it; None for a good one."""
    if len(password.encode()) >= minimum:
        return None
    return {"message": f"Password should be at least {minimum} characters.", "reasons": ["length"]}


def require_strong(password: str, minimum: int) -> None:
    """Raise AuthError for a password that is too short or too long."""
    if len(password.encode()) > LONGEST_PASSWORD:
        raise invalid(f"Password cannot be longer than {LONGEST_PASSWORD} characters")
    weak = weakness(password, minimum)
    if weak is not None:
        reasons = {"reasons": weak["reasons"]}
        raise AuthError(422, "weak_password", str(weak["message"]), weak_password=reasons)


def ban_duration(text: str) -> timedelta | None:
    """How long a ban lasts, in Go's notation (`1h30m`); None for `none`. Raises AuthError for anything else."""
    if text == "none":
        return None
    seconds = sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
    if not _DURATION.fullmatch(text) or seconds > _LONGEST_SECONDS:
        raise invalid(f'invalid format for ban duration: time: invalid duration "{text}"')
    return timedelta(seconds=seconds)


def invalid(message: str) -> AuthError:
    """A request whose values are not what they should be."""
    return AuthError(400, "validation_failed", message)
