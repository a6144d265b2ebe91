"""A bearer token becomes a database role and its claims. Only HS256 is accepted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jwt

from supalocal.rest.errors import RestError

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOWED_SKEW = 30  # seconds
_PARTS = 3
_verifier = jwt.PyJWS(algorithms=["HS256"])


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks."""

    role: str
    claims: str  # as JSON; `role` is always among them


def identify(authorization: str | None, secret: str, anon_role: str) -> Identity:
    """Who asks, by the Authorization header; raises PGRST301 or PGRST303 for a bearer token that does not hold."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        return _anonymous(anon_role)
    identity, claims = _verified(token.strip(), secret, anon_role)
    _check_times(claims, int(time.time()))
    _check_audience(claims)
    return identity


@lru_cache(maxsize=8)
def _anonymous(anon_role: str) -> Identity:
    return Identity(anon_role, json.dumps({"role": anon_role}, separators=(",", ":")))


@lru_cache(maxsize=1024)
def _verified(token: str, secret: str, anon_role: str) -> tuple[Identity, dict[str, Any]]:
    claims = _claims(_payload(token, secret))
    named = claims.get("role", anon_role)
    role = named if isinstance(named, str) else json.dumps(named, separators=(",", ":"))
    text = json.dumps({**claims, "role": role}, separators=(",", ":"), ensure_ascii=False)
    return Identity(role, text), claims


def _payload(token: str, secret: str) -> bytes:
    if not token:
        raise _unauthorized("PGRST301", "Empty JWT is sent in Authorization header")
    if (parts := token.count(".") + 1) != _PARTS:
        raise _unauthorized("PGRST301", f"Expected 3 parts in JWT; got {parts}")
    _check_algorithm(token)
    try:
        payload: bytes = _verifier.decode(token, secret, algorithms=["HS256"])
    except jwt.InvalidSignatureError as exc:
        raise _no_key("None of the keys was able to decode the JWT") from exc
    except (jwt.PyJWTError, ValueError) as exc:
        raise _unauthorized("PGRST301", "JWT cryptographic operation failed") from exc
    return payload


def _check_algorithm(token: str) -> None:
    try:
        algorithm = _verifier.get_unverified_header(token).get("alg")
    except (jwt.PyJWTError, ValueError) as exc:
        raise _unauthorized("PGRST301", "JWT cryptographic operation failed") from exc
    if algorithm == "none":
        message = "Wrong or unsupported encoding algorithm"
        raise _unauthorized("PGRST301", message, "JWT is unsecured but expected 'alg' was not 'none'")
    if algorithm != "HS256":
        raise _no_key("No suitable key was found to decode the JWT")


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise _unauthorized("PGRST303", "Parsing claims failed") from exc
    if not isinstance(claims, dict):
        raise _unauthorized("PGRST303", "Parsing claims failed")
    return claims


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _check_times(claims: dict[str, Any], now: int) -> None:
    _check_time(claims, "exp", lambda when: now - ALLOWED_SKEW > when, "JWT expired")
    _check_time(claims, "nbf", lambda when: now + ALLOWED_SKEW < when, "JWT not yet valid")
    _check_time(claims, "iat", lambda when: now + ALLOWED_SKEW < when, "JWT issued at future")


def _check_audience(claims: dict[str, Any]) -> None:
    audience = claims.get("aud")
    if not (audience is None or isinstance(audience, str) or _is_list_of_strings(audience)):
        raise _unauthorized("PGRST303", "The JWT 'aud' claim must be a string or an array of strings")


def _check_time(claims: dict[str, Any], claim: str, fails: Callable[[int], bool], message: str) -> None:
    when = claims.get(claim)
    if when is None:
        return
    if isinstance(when, bool) or not isinstance(when, int | float):
        raise _unauthorized("PGRST303", f"The JWT '{claim}' claim must be a number")
    if fails(_whole_seconds(when)):
        raise _unauthorized("PGRST303", message)


def _whole_seconds(when: float) -> int:
    """The number; 0 for what is no 64-bit integer, as PostgREST reads it."""
    is_whole = -(2.0**63) <= when < 2.0**63 and when == int(when)
    return int(when) if is_whole else 0


def _no_key(details: str) -> RestError:
    return _unauthorized("PGRST301", "No suitable key or wrong key type", details)


def _unauthorized(code: str, message: str, details: str | None = None) -> RestError:
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return RestError(401, code, message, details, headers={"WWW-Authenticate": challenge})
