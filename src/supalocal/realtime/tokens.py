"""Checks the JWTs that sockets and channels come with, and says what is wrong in the real server's words."""

import json
from dataclasses import dataclass
from typing import Any

import jwt

_ALGORITHMS = ["HS256"]
_SIGNATURE_ONLY = dict.fromkeys(
    ["verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"], False
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the database is asked as: a role and its claims as JSON text."""

    role: str
    claims: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was accepted; `expires_at` in seconds since 1970."""

    text: str
    identity: Identity
    expires_at: float


class TokenError(Exception):
    """A token that was refused. The text depends on where it came: `at_handshake`, `at_join` or `in_channel`."""

    code = "InvalidJWTToken"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    @property
    def at_handshake(self) -> str:
        return self.text

    @property
    def at_join(self) -> str:
        return f"{self.code}: {self.in_channel if self.code == TokenError.code else self.text}"

    @property
    def in_channel(self) -> str:
        return self.text


class ExpiredTokenError(TokenError):
    """The token's time is over."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Token has expired")
        self.seconds = seconds

    @property
    def in_channel(self) -> str:
        return f"Token has expired {self.seconds} seconds ago"


class MissingClaimsError(TokenError):
    """The token lacks what Realtime needs."""

    def __init__(self) -> None:
        super().__init__("Fields `role` and `exp` are required in JWT")


class MalformedTokenError(TokenError):
    """The text is no JWT."""

    code = "MalformedJWT"

    def __init__(self) -> None:
        super().__init__("The token provided is not a valid JWT")


class SignatureError(TokenError):
    """The token was signed with another secret."""

    code = "JwtSignatureError"

    def __init__(self) -> None:
        super().__init__("Failed to validate JWT signature")

    @property
    def in_channel(self) -> str:
        return ":signature_error"


class SignerError(TokenError):
    """The token's algorithm is not the secret's; `none` is one of these."""

    code = "JwtSignerError"

    def __init__(self) -> None:
        super().__init__("Failed to generate JWT signer, check your JWT secret or JWKS configuration")


def verify(text: str, secret: str, now: float) -> Token:
    """Return the accepted token; a TokenError says why it was not."""
    claims = _claims(text, secret)
    if _seconds(claims.get("iat", 0)) is None:
        raise MalformedTokenError
    expires_at, role = _seconds(claims.get("exp")), claims.get("role")
    if expires_at is not None and expires_at <= now:
        raise ExpiredTokenError(int(now - expires_at))
    if not isinstance(role, str) or expires_at is None:
        raise MissingClaimsError
    return Token(text, Identity(role, json.dumps(claims)), expires_at)


def _claims(text: str, secret: str) -> dict[str, Any]:
    try:
        return jwt.decode(text, secret, algorithms=_ALGORITHMS, options=_SIGNATURE_ONLY)  # type: ignore[arg-type] # a plain dict
    except jwt.InvalidSignatureError as exc:
        raise SignatureError from exc
    except jwt.InvalidAlgorithmError as exc:
        raise SignerError from exc
    except jwt.InvalidTokenError as exc:
        raise MalformedTokenError from exc


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
