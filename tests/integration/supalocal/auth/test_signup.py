"""New users."""

import asyncio

import jwt
import pytest

from supalocal.keys import JWT_SECRET

from .conftest import PASSWORD, unused_email

NO_ADDRESS = "Unable to validate email address: invalid format"
LONG = "Password cannot be longer than 72 characters"
UNREADABLE = "Could not parse request body as JSON: "
NOBODY = {"email": "a@b.c", "password": PASSWORD}


async def test_an_anonymous_user_looks_as_on_hosted(ask):
    """No member more, none less, `data` as user_metadata; a 12-letter refresh token."""
    session = (await ask("POST", "signup", {"data": {"nick": "a"}, "gotrue_meta_security": {}})).body
    user = session.pop("user")
    times = {name: user.pop(name) for name in ("created_at", "updated_at", "last_sign_in_at")}
    assert user == {
        "id": user["id"],
        "aud": "authenticated",
        "role": "authenticated",
        "email": "",
        "phone": "",
        "app_metadata": {},
        "user_metadata": {"nick": "a"},
        "identities": [],
        "is_anonymous": True,
    }
    assert all(time.endswith("Z") for time in times.values())
    assert session.keys() == {"access_token", "token_type", "expires_in", "expires_at", "refresh_token"}
    assert (session["token_type"], session["expires_in"], len(session["refresh_token"])) == ("bearer", 3600, 12)


async def test_the_access_token_claims_what_policies_ask_for(auth_stack, anonymous):
    """In the order and form of the real server's token."""
    session = await anonymous(nick="a")
    claims = jwt.decode(session["access_token"], JWT_SECRET, algorithms=["HS256"], audience="authenticated")
    assert claims == {
        "iss": f"{auth_stack.url}/auth/v1",
        "sub": session["user"]["id"],
        "aud": "authenticated",
        "exp": session["expires_at"],
        "iat": session["expires_at"] - 3600,
        "email": "",
        "phone": "",
        "app_metadata": {},
        "user_metadata": {"nick": "a"},
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{"method": "anonymous", "timestamp": claims["amr"][0]["timestamp"]}],
        "session_id": claims["session_id"],
        "is_anonymous": True,
    }


async def test_a_user_with_an_address_is_confirmed_at_once(sign_up):
    """With an identity, a provider, and metadata that tell so."""
    email = unused_email()
    user = (await sign_up(email.upper(), data={"name": "Ann"}))["user"]
    assert (user["email"], user["is_anonymous"]) == (email, False)
    assert user["email_confirmed_at"] == user["confirmed_at"]
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]}
    known = {"sub": user["id"], "name": "Ann", "email": email, "phone_verified": False}
    assert user["user_metadata"] == {**known, "email_verified": True}
    (identity,) = user["identities"]
    assert identity["identity_data"] == {**known, "email_verified": False}
    assert (identity["provider"], identity["id"], identity["email"]) == ("email", user["id"], email)


async def test_the_trigger_on_new_users_sees_their_metadata(sign_up, postgres):
    """handle_new_user, security definer, made by a migration, writes the profile."""
    user = (await sign_up(data={"name": "Ann"}))["user"]
    found = await (await postgres.execute("select name from profiles where id = %s", [user["id"]])).fetchall()
    assert found == [("Ann",)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"email": "a@example.org", "password": PASSWORD}, "Database error saving new user"),
        ({}, "Database error creating anonymous user"),
    ],
)
async def test_a_trigger_that_fails_refuses_the_user(ask, postgres, body, message):
    """500 with Auth's own words, and no user is left behind."""
    before = await (await postgres.execute("select count(*) from auth.users")).fetchone()
    answer = await ask("POST", "signup", body | {"data": {"name": "nobody"}})
    assert (answer.status, answer.body) == (500, {"code": "unexpected_failure", "message": message})
    assert await (await postgres.execute("select count(*) from auth.users")).fetchone() == before


async def test_the_old_error_form_tells_what_the_trigger_raised(ask):
    """As the real server does for clients without an API version."""
    body = {"email": unused_email(), "password": PASSWORD, "data": {"name": "nobody"}}
    answer = await ask("POST", "signup", body, version=None)
    assert (answer.status, answer.body) == (
        500,
        {"code": "P0001", "message": "nobody is no name", "hint": "Choose another one."},
    )


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({"email": "a", "password": PASSWORD}, 400, "validation_failed", NO_ADDRESS),
        ({"email": "a@b.c"}, 400, "validation_failed", "Signup requires a valid password"),
        ({"email": "a@b.c", "password": "x" * 73}, 400, "validation_failed", LONG),
        ({"phone": "123456", "password": PASSWORD}, 400, "phone_provider_disabled", "Phone signups are disabled"),
        (
            {"email": "a@b.c", "phone": "1", "password": PASSWORD},
            400,
            "validation_failed",
            "Only an email address or phone number should be provided on signup.",
        ),
        (
            {"email": 1},
            400,
            "bad_json",
            UNREADABLE + "json: cannot unmarshal number into Go struct field .email of type string",
        ),
    ],
)
async def test_a_refusal_says_why(ask, body, status, code, message):
    """Status, code and words of the real server."""
    answer = await ask("POST", "signup", body)
    assert (answer.status, answer.body) == (status, {"code": code, "message": message})
    assert answer.headers["x-sb-error-code"] == code


async def test_a_weak_password_tells_its_reasons(ask):
    """The clients make an error of its own of it."""
    answer = await ask("POST", "signup", {"email": unused_email(), "password": "12345"})
    message = "Password should be at least 6 characters."
    expected = {"code": "weak_password", "message": message, "weak_password": {"reasons": ["length"]}}
    assert (answer.status, answer.body) == (422, expected)


async def test_a_body_of_no_bytes_is_an_error(ask):
    """`{}` is an anonymous user, nothing is nobody."""
    answer = await ask("POST", "signup", data=b"")
    message = "Could not parse request body as JSON: unexpected end of JSON input"
    assert (answer.status, answer.body) == (400, {"code": "bad_json", "message": message})


async def test_an_address_is_taken_once(ask, sign_up):
    """Whatever its case."""
    email = unused_email()
    await sign_up(email)
    answer = await ask("POST", "signup", {"email": email.upper(), "password": PASSWORD})
    assert (answer.status, answer.body) == (422, {"code": "user_already_exists", "message": "User already registered"})


@pytest.mark.parametrize("version", ["2024-01-01", None])
async def test_of_many_who_want_an_address_one_gets_it(ask, version):
    """The others are told that it is taken, as if they had come later, in either form of error."""
    body = {"email": unused_email(), "password": PASSWORD}
    answers = await asyncio.gather(*(ask("POST", "signup", body, version=version) for _ in range(8)))
    refused = [answer.headers["x-sb-error-code"] for answer in answers if answer.status != 200]
    assert refused == ["user_already_exists"] * 7
    assert {answer.status for answer in answers} == {200, 422}


@pytest.mark.parametrize(
    ("settings", "body", "status", "code"),
    [
        ({}, {}, 422, "anonymous_provider_disabled"),
        ({"enable_signup": False, "enable_anonymous_sign_ins": True}, {}, 422, "signup_disabled"),
        ({"enable_signup": False}, NOBODY, 422, "signup_disabled"),
        ({"enable_email_signup": False}, NOBODY, 400, "email_provider_disabled"),
        ({"minimum_password_length": 20}, NOBODY, 422, "weak_password"),
    ],
)
async def test_the_project_decides_who_may_sign_up(ask, configured, settings, body, status, code):
    """The settings of config.toml, with the CLI's defaults."""
    answer = await ask("POST", "signup", body, stack=await configured(**settings))
    assert (answer.status, answer.body["code"]) == (status, code)
