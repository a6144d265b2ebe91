"""The keys of a local stack, and what a gateway makes of the key that a request brings.

The constants are the Supabase CLI's for local development, the same on every machine: public knowledge, no secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

JWT_SECRET = "super-secret-jwt-token-with-at-least-32-characters-long"  # noqa: S105  public, see above
PUBLISHABLE_KEY = "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH"
SECRET_KEY = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"  # noqa: S105  public, see above
ALGORITHM = "HS256"

_PUBLISHABLE = "sb_publishable_"
_ISSUER = "supabase-demo"
_EXPIRES = 1983812996  # 2032-11-12, as in the CLI's own local keys
_SHORTEST_SECRET = 32  # bytes, RFC 7518, 3.2


@dataclass(frozen=True)
class Keys:
    """The keys that one stack accepts. Raises ValueError for a JWT secret of less than 32 bytes."""

    jwt_secret: str = JWT_SECRET
    publishable: str = PUBLISHABLE_KEY
    secret: str = SECRET_KEY

    def __post_init__(self) -> None:
        if len(self.jwt_secret.encode()) < _SHORTEST_SECRET:
            raise ValueError(f"The JWT secret must have at least {_SHORTEST_SECRET} bytes.")

    @cached_property
    def anon(self) -> str:
        """The JWT form of the publishable key."""
        return self._token("anon")

    @cached_property
    def service_role(self) -> str:
        """The JWT form of the secret key: passes over row level security."""
        return self._token("service_role")

    def authorization(self, authorization: str | None, apikey: str | None) -> str | None:
        """The Authorization header that a request goes on with; None: it goes on without one.

        The rules of the CLI's own gateway: a header that holds no `sb_` key stays as it is; else a known apikey
        becomes its role's JWT; else the apikey itself, without `Bearer`, which no server takes for a token.
        """
        if authorization and not authorization.startswith("Bearer sb_"):
            return authorization
        if apikey == self.secret:
            return f"Bearer {self.service_role}"
        if apikey == self.publishable:
            return f"Bearer {self.anon}"
        return apikey

    def token(self, apikey: str) -> str:
        """The JWT that an apikey stands for in Realtime; what is neither a publishable nor our secret key is unchanged.

        A publishable key of another project is anon, as it is for REST, which takes every bare apikey for that.
        """
        if apikey == self.secret:
            return self.service_role
        return self.anon if apikey.startswith(_PUBLISHABLE) else apikey

    def _token(self, role: str) -> str:
        import jwt  # noqa: PLC0415  it takes a fifth of a second, and Postgres can start meanwhile

        return jwt.encode({"iss": _ISSUER, "role": role, "exp": _EXPIRES}, self.jwt_secret, algorithm=ALGORITHM)
