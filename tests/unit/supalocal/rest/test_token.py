"""Bearer tokens."""

import json
import time

import jwt
import pytest

from supalocal.rest.errors import RestError
from supalocal.rest.token import identify

SECRET = "a-secret-for-tests-of-at-least-32-characters"  # noqa: S105 - only these tests know it


def bearer(claims: dict, **options) -> str:
    return "Bearer " + jwt.encode(claims, options.pop("key", SECRET), **options)


def refusal(authorization: str) -> RestError:
    with pytest.raises(RestError) as caught:
        identify(authorization, SECRET, "anon")
    assert caught.value.status == 401
    return caught.value


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Token x"])
def test_no_bearer_is_anonymous(authorization):
    """Without a bearer token the anonymous role asks, and its claims say so."""
    identity = identify(authorization, SECRET, "anon")
    assert (identity.role, json.loads(identity.claims)) == ("anon", {"role": "anon"})


def test_the_role_claim_decides():
    """The role of the token is the role."""
    assert identify(bearer({"role": "service_role"}), SECRET, "anon").role == "service_role"


def test_a_token_without_a_role_is_anonymous():
    """The anonymous role is added to the claims."""
    identity = identify(bearer({"sub": "x"}), SECRET, "anon")
    assert json.loads(identity.claims) == {"sub": "x", "role": "anon"}


def test_an_expired_token_is_refused_although_it_was_verified_before():
    """Verification is remembered, the clock is not."""
    assert refusal(bearer({"exp": int(time.time()) - 60})).message == "JWT expired"


def test_half_a_minute_of_skew_is_forgiven():
    """Clocks may differ by 30 seconds."""
    identify(bearer({"exp": int(time.time()) - 20}), SECRET, "anon")


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"nbf": 4102444800}, "JWT not yet valid"),
        ({"iat": 4102444800}, "JWT issued at future"),
        ({"exp": "soon"}, "The JWT 'exp' claim must be a number"),
        ({"exp": True}, "The JWT 'exp' claim must be a number"),
        ({"aud": 5}, "The JWT 'aud' claim must be a string or an array of strings"),
    ],
)
def test_claims_that_do_not_hold(claims, message):
    """A claim that does not hold is PGRST303."""
    error = refusal(bearer(claims))
    assert (error.code, error.message) == ("PGRST303", message)


def test_times_are_checked_before_the_audience():
    """Of two claims that do not hold, PostgREST names the time."""
    assert refusal(bearer({"exp": 1, "aud": 5})).message == "JWT expired"


@pytest.mark.parametrize("expiry", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_is_no_claim(expiry):
    """Python's own JSON knows numbers that no other does; they are refused, not compared."""
    assert refusal(bearer({"exp": float(expiry)})).message == "Parsing claims failed"


@pytest.mark.parametrize("expiry", [10**30, -(10**30)])
def test_a_time_beyond_64_bits_is_the_year_1970(expiry):
    """PostgREST reads a number that is no 64-bit integer as 0."""
    assert refusal(bearer({"exp": expiry})).message == "JWT expired"


def test_a_number_too_large_for_a_float_is_the_year_1970():
    """`1e400` is JSON, though Python reads it as infinity."""
    token = jwt.api_jws.encode(b'{"exp":1e400}', SECRET, algorithm="HS256")
    assert refusal(f"Bearer {token}").message == "JWT expired"


def test_a_foreign_signature_is_refused():
    """A token signed with another secret is nobody's."""
    assert (
        refusal(bearer({"role": "service_role"}, key="x" * 40)).details == "None of the keys was able to decode the JWT"
    )


def test_an_unsigned_token_is_refused():
    """`alg: none` never counts."""
    error = refusal(bearer({"role": "service_role"}, key=None, algorithm="none"))
    assert error.message == "Wrong or unsupported encoding algorithm"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused(algorithm):
    """Only HS256 is accepted, even with the right secret."""
    error = refusal(bearer({"role": "service_role"}, key=SECRET * 2, algorithm=algorithm))
    assert error.details == "No suitable key was found to decode the JWT"


@pytest.mark.parametrize("token", ["", "one", "one.two", "a.b.c.d", "a$b.c$d.e$f", "..", "{}.{}.{}"])
def test_garbage_is_refused(token):
    """What is no token is PGRST301."""
    assert refusal(f"Bearer {token}").code == "PGRST301"
