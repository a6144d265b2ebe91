"""What the gateway makes of the keys that a request brings."""

import jwt
import pytest

from supalocal.keys import JWT_SECRET, PUBLISHABLE_KEY, SECRET_KEY, Keys

KEYS = Keys()
ANON, SERVICE = f"Bearer {KEYS.anon}", f"Bearer {KEYS.service_role}"


@pytest.mark.parametrize(("token", "role"), [(KEYS.anon, "anon"), (KEYS.service_role, "service_role")])
def test_the_jwt_keys_carry_the_claims_of_the_cli(token, role):
    """Both are HS256 tokens of the local issuer that end in 2032."""
    assert jwt.decode(token, JWT_SECRET, algorithms=["HS256"]) == {
        "iss": "supabase-demo",
        "role": role,
        "exp": 1983812996,
    }


def test_another_secret_makes_other_jwt_keys():
    """A stack with its own secret does not accept the public tokens."""
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(Keys("x" * 32).anon, JWT_SECRET, algorithms=["HS256"])


def test_a_short_secret_is_refused():
    """HS256 needs 256 bits."""
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Keys("short")


@pytest.mark.parametrize("sent", ["Bearer a.b.c", "Basic xyz"])
@pytest.mark.parametrize("apikey", [None, SECRET_KEY, KEYS.anon])
def test_a_header_without_an_sb_key_stays(sent, apikey):
    """Rule 1: a user's token wins over any apikey, the secret one included."""
    assert KEYS.authorization(sent, apikey) == sent


@pytest.mark.parametrize("sent", [None, "", f"Bearer {PUBLISHABLE_KEY}", "Bearer sb_anything"])
@pytest.mark.parametrize(("apikey", "expected"), [(SECRET_KEY, SERVICE), (PUBLISHABLE_KEY, ANON)])
def test_a_known_apikey_becomes_its_role(sent, apikey, expected):
    """Rule 2: without a token of its own the request acts as the key's role."""
    assert KEYS.authorization(sent, apikey) == expected


@pytest.mark.parametrize("sent", [None, "Bearer sb_publishable_other"])
@pytest.mark.parametrize("apikey", ["sb_publishable_other", KEYS.anon, None])
def test_any_other_apikey_is_passed_on_bare(sent, apikey):
    """Rule 3: it goes on without `Bearer`, so no server takes it for a token; none stays none."""
    assert KEYS.authorization(sent, apikey) == apikey


@pytest.mark.parametrize(
    ("apikey", "expected"),
    [
        (SECRET_KEY, KEYS.service_role),
        (PUBLISHABLE_KEY, KEYS.anon),
        ("sb_publishable_other", KEYS.anon),
        ("a.b.c", "a.b.c"),
        ("sb_secret_x", "sb_secret_x"),
    ],
)
def test_a_websocket_key_becomes_its_token(apikey, expected):
    """Rule 4: keys are replaced in the query too, and any publishable one is anon, as for REST; a JWT is unchanged."""
    assert KEYS.token(apikey) == expected
