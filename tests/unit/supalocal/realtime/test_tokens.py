"""What is wrong with a token, in the real server's words."""

import jwt
import pytest

from supalocal.realtime.tokens import (
    ExpiredTokenError,
    MalformedTokenError,
    MissingClaimsError,
    SignatureError,
    SignerError,
    verify,
)

SECRET, NOW = "a secret of at least thirty-two bytes", 1_000_000.0


def sign(secret=SECRET, algorithm="HS256", **claims):
    return jwt.encode({"role": "anon", "exp": NOW + 60, **claims}, secret, algorithm)


def test_a_good_token_gives_role_and_claims():
    """The whole claims travel on as JSON."""
    token = verify(sign(sub="u"), SECRET, NOW)
    assert (token.identity.role, token.expires_at) == ("anon", NOW + 60)
    assert '"sub": "u"' in token.identity.claims


@pytest.mark.parametrize(
    ("text", "error", "at_join"),
    [
        ("", MalformedTokenError, "MalformedJWT: The token provided is not a valid JWT"),
        ("x.y.z", MalformedTokenError, "MalformedJWT: The token provided is not a valid JWT"),
        (sign(iat="soon"), MalformedTokenError, "MalformedJWT: The token provided is not a valid JWT"),
        (sign(exp=NOW - 12), ExpiredTokenError, "InvalidJWTToken: Token has expired 12 seconds ago"),
        (sign(role=None), MissingClaimsError, "InvalidJWTToken: Fields `role` and `exp` are required in JWT"),
        (sign(exp=None), MissingClaimsError, "InvalidJWTToken: Fields `role` and `exp` are required in JWT"),
        (
            sign("another secret of thirty-two bytes"),
            SignatureError,
            "JwtSignatureError: Failed to validate JWT signature",
        ),
        (
            jwt.encode({"role": "anon", "exp": NOW + 60}, None, "none"),
            SignerError,
            "JwtSignerError: Failed to generate JWT signer, check your JWT secret or JWKS configuration",
        ),
    ],
)
def test_a_bad_token_is_refused(text, error, at_join):
    """Each defect has its own text; `alg: none` is no way in."""
    with pytest.raises(error) as refusal:
        verify(text, SECRET, NOW)
    assert refusal.value.at_join == at_join


def test_the_handshake_names_no_seconds():
    """An expired key at the handshake is told shorter."""
    with pytest.raises(ExpiredTokenError) as refusal:
        verify(sign(exp=NOW - 12), SECRET, NOW)
    assert refusal.value.at_handshake == "Token has expired"
