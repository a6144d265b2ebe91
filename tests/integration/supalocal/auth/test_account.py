"""What users see and change of themselves, and signing out."""

from uuid import uuid4

import jwt
import pytest

from supalocal.keys import JWT_SECRET

from .conftest import PASSWORD, unused_email


async def test_a_user_sees_themselves(ask, sign_up):
    """The user object itself, as the session had it."""
    session = await sign_up()
    answer = await ask("GET", "user", token=session["access_token"])
    assert (answer.status, answer.body) == (200, session["user"])


async def test_metadata_is_merged(ask, sign_up):
    """Member by member; null removes one."""
    token = (await sign_up(data={"a": 1, "b": 2}))["access_token"]
    await ask("PUT", "user", {"data": {"b": None, "c": 3}}, token=token)
    known = (await ask("GET", "user", token=token)).body["user_metadata"]
    assert {name: known.get(name) for name in "abc"} == {"a": 1, "b": None, "c": 3}
    assert "b" not in known


async def test_an_anonymous_user_with_an_address_is_a_permanent_one(ask, anonymous, sign_in, refresh):
    """Same id, confirmed, with an identity and a password; the next token says so too."""
    session = await anonymous(nick="a")
    email = unused_email()
    changed = await ask("PUT", "user", {"email": email, "password": PASSWORD}, token=session["access_token"])
    user = changed.body
    assert (user["id"], user["email"], user["is_anonymous"]) == (session["user"]["id"], email, False)
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert user["user_metadata"] == {"nick": "a", "email_verified": True}
    assert user["email_confirmed_at"]
    assert [identity["email"] for identity in user["identities"]] == [email]
    assert (await sign_in(email)).body["user"]["id"] == user["id"]
    following = (await refresh(session["refresh_token"])).body["access_token"]
    assert jwt.decode(following, options={"verify_signature": False})["is_anonymous"] is False


async def test_another_address_waits_for_a_mail_that_never_comes(ask, sign_up):
    """As on hosted until the link in it is opened; we send none."""
    session, email = await sign_up(), unused_email()
    user = (await ask("PUT", "user", {"email": email}, token=session["access_token"])).body
    assert (user["email"], user["new_email"]) == (session["user"]["email"], email)


async def test_a_new_password_ends_the_other_sessions(ask, sign_up, sign_in):
    """The one that changed it goes on; only the new one signs in."""
    email = unused_email()
    first = await sign_up(email)
    second = (await sign_in(email)).body
    changed = await ask("PUT", "user", {"password": "another one"}, token=second["access_token"])
    assert changed.status == 200
    assert (await ask("GET", "user", token=second["access_token"])).status == 200
    assert (await ask("GET", "user", token=first["access_token"])).body["code"] == "session_not_found"
    assert (await sign_in(email)).status == 400
    assert (await sign_in(email, "another one")).status == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"password": PASSWORD}, 422, "same_password"),
        ({"password": "12345"}, 422, "weak_password"),
        ({"email": "no address"}, 400, "validation_failed"),
        ({"email": "seeded@example.com"}, 422, "email_exists"),
        ({"app_metadata": {"role": "boss"}}, 403, "not_admin"),
        ({"phone": "123456"}, 422, "not_supported"),
        ({"data": []}, 400, "bad_json"),
    ],
)
async def test_a_change_may_be_refused(ask, sign_up, body, status, code):
    """And changes nothing."""
    session = await sign_up()
    answer = await ask("PUT", "user", body, token=session["access_token"])
    assert (answer.status, answer.body["code"]) == (status, code)
    assert (await ask("GET", "user", token=session["access_token"])).body == session["user"]


async def test_an_anonymous_user_has_no_password_without_an_address(ask, anonymous):
    """Nobody could sign in with it."""
    answer = await ask("PUT", "user", {"password": PASSWORD}, token=(await anonymous())["access_token"])
    assert (answer.status, answer.body["code"]) == (422, "validation_failed")


@pytest.mark.parametrize(
    ("scope", "left"),
    [("?scope=global", []), ("", []), ("?scope=local", [0, 2]), ("?scope=others", [1])],
)
async def test_a_sign_out_ends_the_sessions_of_its_scope(ask, sign_up, sign_in, refresh, scope, left):
    """204, and what is over can neither ask nor refresh."""
    email = unused_email()
    sessions = [await sign_up(email), (await sign_in(email)).body, (await sign_in(email)).body]
    answer = await ask("POST", f"logout{scope}", token=sessions[1]["access_token"])
    assert (answer.status, answer.body) == (204, b"")
    asked = [(await ask("GET", "user", token=session["access_token"])).status for session in sessions]
    assert [number for number, status in enumerate(asked) if status == 200] == left
    refreshed = [(await refresh(session["refresh_token"])).status for session in sessions]
    assert [number for number, status in enumerate(refreshed) if status == 200] == left


async def test_an_unknown_scope_is_refused(ask, anonymous):
    """In the words of the real server."""
    answer = await ask("POST", "logout?scope=all", token=(await anonymous())["access_token"])
    expected = {"code": "validation_failed", "message": 'Unsupported logout scope "all"'}
    assert (answer.status, answer.body) == (400, expected)


def token(secret=JWT_SECRET, algorithm="HS256", **claims):
    return jwt.encode(claims, secret, algorithm=algorithm)


PARSING = "invalid JWT: unable to parse or verify signature, "
NIL = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("token", "status", "code", "message"),
    [
        ("x", 403, "bad_jwt", f"{PARSING}token is malformed: token contains an invalid number of segments"),
        ("a.b.c", 403, "bad_jwt", f"{PARSING}token is malformed"),
        (token(secret="s" * 32), 403, "bad_jwt", f"{PARSING}token signature is invalid: signature is invalid"),
        (token(exp=1), 403, "bad_jwt", f"{PARSING}token has invalid claims: token is expired"),
        (token(exp="soon"), 403, "bad_jwt", f"{PARSING}token is malformed"),
        (token(nbf=2**40), 403, "bad_jwt", f"{PARSING}token has invalid claims: token is not valid yet"),
        (token(role="authenticated"), 403, "bad_jwt", "invalid claim: missing sub claim"),
        (token(sub="1"), 400, "bad_jwt", "invalid claim: sub claim must be a UUID"),
        (token(sub=NIL), 403, "user_not_found", "User from sub claim in JWT does not exist"),
    ],
)
async def test_a_token_that_does_not_hold_is_refused(ask, token, status, code, message):
    """With the reasons of the real server."""
    answer = await ask("GET", "user", token=token)
    assert (answer.status, answer.body) == (status, {"code": code, "message": message})


async def test_a_key_is_nobody(ask):
    """The gateway makes the publishable key a token of `anon`, who has no `sub`."""
    answer = await ask("GET", "user")
    expected = {"code": "bad_jwt", "message": "invalid claim: missing sub claim"}
    assert (answer.status, answer.body) == (403, expected)


async def test_no_token_at_all_is_told_so(http, auth_stack):
    """Without a key there is nothing that the gateway could fill in."""
    async with http.get(f"{auth_stack.url}/auth/v1/user") as answer:
        told = await answer.json()
        assert (answer.status, told["error_code"]) == (401, "no_authorization")
        assert told["msg"] == "This endpoint requires a valid Bearer token"


LINKING = [("GET", "user/identities/authorize?provider=google"), ("DELETE", f"user/identities/{uuid4()}")]


@pytest.mark.parametrize(("method", "path"), LINKING)
async def test_identities_are_not_linked(sign_up, ask, method, path):
    """As on a project that does not enable it."""
    answer = await ask(method, path, token=(await sign_up())["access_token"])
    assert (answer.status, answer.body["code"]) == (404, "manual_linking_disabled")


@pytest.mark.parametrize(("method", "path"), LINKING)
async def test_linking_that_is_enabled_is_not_supported(configured, sign_up, ask, method, path):
    """No silent gap."""
    server, token = await configured(enable_manual_linking=True), (await sign_up())["access_token"]
    answer = await ask(method, path, token=token, stack=server)
    assert (answer.status, answer.body["code"]) == (422, "not_supported")
