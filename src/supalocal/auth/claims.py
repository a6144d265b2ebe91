"""Access tokens: what they claim, and which are believed. Only HS256 with the stack's own secret is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from supalocal.auth.errors import AuthError

if TYPE_CHECKING:
    from uuid import UUID

    from supalocal.auth.users import User

_ALGORITHM = "HS256"
_SEGMENTS = 3
_CHECKS = {
    "verify_exp": True,
    "verify_nbf": True,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and checks access tokens; `lifetime` in seconds, `issuer` the URL of Auth.

    `hook` is the URI of the function that has the last word on the claims, '' where there is none.
    """

    secret: str
    issuer: str
    lifetime: int
    hook: str = ""

    def claims(self, user: User, session: UUID, methods: list[dict[str, Any]], now: int) -> dict[str, Any]:
        """What the access token of a session claims from `now` (seconds since 1970) on."""
        return {
            "iss": self.issuer,
            "sub": str(user.id),
            "aud": user.aud,
            "exp": now + self.lifetime,
            "iat": now,
            "email": user.email,
            "phone": user.phone,
            "app_metadata": user.app_metadata,
            "user_metadata": user.user_metadata,
            "role": user.role,
            "aal": "aal1",
            "amr": methods,
            "session_id": str(session),
            "is_anonymous": user.is_anonymous,
        }

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a token."""
        return jwt.encode(claims, self.secret, algorithm=_ALGORITHM)

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token that holds. Raises AuthError with the words of the real server's JWT library."""
        if token.count(".") + 1 != _SEGMENTS:
            raise _refused("token is malformed: token contains an invalid number of segments")
        try:
            return jwt.decode(token, self.secret, algorithms=[_ALGORITHM], options=_CHECKS)  # type: ignore[arg-type] # a plain dict
        except jwt.InvalidSignatureError as exc:
            raise _refused("token signature is invalid: signature is invalid") from exc
        except jwt.InvalidAlgorithmError as exc:
            algorithm = jwt.get_unverified_header(token).get("alg")
            raise _refused(f"token signature is invalid: signing method {algorithm} is invalid") from exc
        except jwt.ExpiredSignatureError as exc:
            raise _refused("token has invalid claims: token is expired") from exc
        except jwt.ImmatureSignatureError as exc:
            raise _refused("token has invalid claims: token is not valid yet") from exc
        except (jwt.InvalidTokenError, ValueError, OverflowError, RecursionError) as exc:
            raise _refused("token is malformed") from exc


def _refused(why: str) -> AuthError:
    return AuthError(403, "bad_jwt", f"invalid JWT: unable to parse or verify signature, {why}")
