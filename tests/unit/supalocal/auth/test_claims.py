"""Which tokens are believed."""

import base64
import json

import jwt
import pytest

from supalocal.auth.claims import Signer
from supalocal.auth.errors import AuthError

SECRET = "a secret of at least thirty-two bytes"  # noqa: S105  a test's own
SIGNER = Signer(SECRET, issuer="http://127.0.0.1/auth/v1", lifetime=3600)


def encoded(part):
    return base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")


def test_a_token_signed_with_the_secret_is_believed():
    """Whoever it names, and without an end: keys have neither."""
    assert SIGNER.verify(jwt.encode({"role": "service_role"}, SECRET)) == {"role": "service_role"}


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512", "RS256", "ES256", "hs256", None])
def test_only_hs256_is_believed(algorithm):
    """A token cannot choose how it is checked."""
    token = f"{encoded(json.dumps({'alg': algorithm}))}.{encoded('{}')}."
    with pytest.raises(AuthError, match=r"signing method \w+ is invalid"):
        SIGNER.verify(token)


@pytest.mark.parametrize(
    "token",
    [
        "..",
        "a.b.c",
        f"{encoded('[]')}.{encoded('{}')}.x",
        f"{encoded('[' * 100_000)}.x.x",
        jwt.encode({"exp": "soon"}, SECRET),
        jwt.encode({"exp": float("inf")}, SECRET),
    ],
)
def test_what_is_no_token_is_refused(token):
    """Without a trace."""
    with pytest.raises(AuthError, match="token is malformed"):
        SIGNER.verify(token)
