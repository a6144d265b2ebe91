"""Rotation."""

import asyncio

import jwt
import pytest


def claims(session):
    return jwt.decode(session["access_token"], options={"verify_signature": False})


@pytest.fixture
def age(postgres):
    """Makes a refresh token look as if it had been spent long ago."""

    async def backdate(token):
        await postgres.execute(
            "update auth.refresh_tokens set updated_at = updated_at - interval '11 s' where token = %s", [token]
        )

    return backdate


async def test_a_refresh_gives_both_tokens_anew_for_the_same_session(anonymous, refresh):
    """Session and way of signing in stay."""
    first = await anonymous()
    second = (await refresh(first["refresh_token"])).body
    assert second["refresh_token"] != first["refresh_token"]
    assert {name: claims(second)[name] for name in ("sub", "session_id", "amr")} == {
        name: claims(first)[name] for name in ("sub", "session_id", "amr")
    }
    assert second["user"]["id"] == first["user"]["id"]


async def test_the_active_tokens_parent_gets_the_active_token_again(anonymous, refresh, age):
    """A client may have missed the answer, however long ago."""
    first = (await anonymous())["refresh_token"]
    active = (await refresh(first)).body["refresh_token"]
    await age(first)
    assert (await refresh(first)).body["refresh_token"] == active


async def test_a_grandparent_may_come_again_for_ten_seconds(anonymous, refresh):
    """It gets a token of its own, and the other one keeps its use."""
    first = (await anonymous())["refresh_token"]
    second = (await refresh(first)).body["refresh_token"]
    third = (await refresh(second)).body["refresh_token"]
    again = await refresh(first)
    assert (again.status, again.body["refresh_token"] in {first, second, third}) == (200, False)
    assert (await refresh(third)).status == 200


async def test_a_spent_token_that_comes_back_late_revokes_its_family(anonymous, refresh, age):
    """Whoever holds the active token is out as well."""
    first = (await anonymous())["refresh_token"]
    second = (await refresh(first)).body["refresh_token"]
    third = (await refresh(second)).body["refresh_token"]
    await age(first)
    used = {"code": "refresh_token_already_used", "message": "Invalid Refresh Token: Already Used"}
    late = await refresh(first)
    assert (late.status, late.body) == (400, used)
    await age(third)
    assert (await refresh(third)).body == used


async def test_of_fifty_refreshes_at_once_one_rotates(anonymous, refresh, postgres):
    """All of them get the same next token, which works."""
    first = await anonymous()
    answers = await asyncio.gather(*(refresh(first["refresh_token"]) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    (following,) = {answer.body["refresh_token"] for answer in answers}
    found = await postgres.execute(
        "select token, revoked, parent from auth.refresh_tokens where session_id = %s order by id",
        [claims(first)["session_id"]],
    )
    assert await found.fetchall() == [(first["refresh_token"], True, ""), (following, False, first["refresh_token"])]


@pytest.mark.parametrize(
    ("token", "code", "message"),
    [
        ("", "validation_failed", "Refresh token is not valid"),
        ("short", "validation_failed", "Refresh token is not valid"),
        ("much-longer-than-a-token", "validation_failed", "Refresh token is not valid"),
        ("aaaaaaaaaaaa", "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found"),
        ("a' or true;-", "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found"),
    ],
)
async def test_a_token_that_is_none_is_refused(refresh, token, code, message):
    """Malformed or unknown."""
    answer = await refresh(token)
    assert (answer.status, answer.body) == (400, {"code": code, "message": message})


async def test_a_token_whose_session_is_gone_is_refused(anonymous, refresh, postgres):
    """Signing out takes the tokens along; one without a session is left from before there were sessions."""
    first = await anonymous()
    await postgres.execute(
        "update auth.refresh_tokens set session_id = null where token = %s", [first["refresh_token"]]
    )
    answer = await refresh(first["refresh_token"])
    expected = {"code": "session_not_found", "message": "Invalid Refresh Token: No Valid Session Found"}
    assert (answer.status, answer.body) == (400, expected)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("update auth.sessions set not_after = now() - interval '1 s' where user_id = %s", "session_expired"),
        ("update auth.users set banned_until = now() + interval '1 h' where id = %s", "user_banned"),
    ],
)
async def test_a_session_may_have_an_end(anonymous, refresh, postgres, change, code):
    """Set in the database."""
    first = await anonymous()
    await postgres.execute(change, [first["user"]["id"]])
    answer = await refresh(first["refresh_token"])
    assert (answer.status, answer.body["code"]) == (400, code)


async def test_rotation_and_its_interval_are_the_projects(ask, configured):
    """Without rotation a late token is refused, and its family lives on."""
    lenient = await configured(
        enable_anonymous_sign_ins=True, enable_refresh_token_rotation=False, refresh_token_reuse_interval=0
    )

    async def exchange(token):
        return await ask("POST", "token?grant_type=refresh_token", {"refresh_token": token}, stack=lenient)

    first = (await ask("POST", "signup", {}, stack=lenient)).body["refresh_token"]
    second = (await exchange(first)).body["refresh_token"]
    third = (await exchange(second)).body["refresh_token"]
    assert (await exchange(first)).body["code"] == "refresh_token_already_used"
    assert (await exchange(third)).status == 200
