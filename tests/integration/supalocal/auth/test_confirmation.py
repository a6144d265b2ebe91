"""A project that asks new users to confirm their address."""

import asyncio

import pytest

from .conftest import PASSWORD, SEEDED, unused_email


@pytest.fixture
async def asking(configured, ask):
    """Sends a request to Auth with such settings."""
    server = await configured(enable_confirmations=True, enable_anonymous_sign_ins=True)

    async def send(method, path, json=None, **more):
        return await ask(method, path, json, stack=server, **more)

    return send


async def test_a_new_user_is_not_signed_in(asking):
    """The answer is the user, unconfirmed, and the password does not open yet."""
    given = {"email": unused_email(), "password": PASSWORD}
    answer = await asking("POST", "signup", given)
    assert (answer.status, answer.body["email"]) == (200, given["email"])
    assert answer.body["confirmation_sent_at"]
    assert answer.body.keys().isdisjoint({"access_token", "email_confirmed_at", "confirmed_at"})
    refused = await asking("POST", "token?grant_type=password", given)
    assert (refused.status, refused.body["code"]) == (400, "email_not_confirmed")


async def test_a_link_confirms_and_signs_in(asking, auth_stack):
    """It takes the place of the mail's; the password is the user's own."""
    given = {"email": unused_email(), "password": PASSWORD}
    user = (await asking("POST", "signup", given)).body
    wish = {"type": "signup", "email": given["email"], "password": "another one"}
    made = (await asking("POST", "admin/generate_link", wish, token=auth_stack.service_role_key)).body
    proof = {"type": "email", "email": given["email"], "token": made["email_otp"]}
    session = (await asking("POST", "verify", proof)).body
    assert (session["user"]["id"], session["user"]["user_metadata"]["email_verified"]) == (user["id"], True)
    assert (await asking("POST", "token?grant_type=password", given)).status == 200


async def test_signing_up_again_changes_nothing(asking):
    """Until the address is confirmed the user stays the same."""
    given = {"email": unused_email(), "password": PASSWORD}
    first, second = [(await asking("POST", "signup", given)).body for _ in range(2)]
    assert first["id"] == second["id"]


async def test_signing_up_at_once_makes_one_user(asking):
    """Whoever comes second is answered all the same."""
    given = {"email": unused_email(), "password": PASSWORD}
    answers = await asyncio.gather(*(asking("POST", "signup", given) for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4


async def test_an_address_that_is_taken_is_not_given_away(asking, postgres):
    """A stranger is answered, who has no identities and is nowhere stored."""
    given = {"email": SEEDED, "password": PASSWORD, "data": {"name": "Eve"}}
    answer = await asking("POST", "signup", given)
    told = answer.body
    assert (answer.status, told["email"], told["identities"]) == (200, SEEDED, [])
    assert told["user_metadata"] == {"name": "Eve"}
    stored = await postgres.execute("select from auth.users where id = %s", [told["id"]])
    assert await stored.fetchone() is None


async def test_an_anonymous_user_who_gives_an_address_stays_one(asking):
    """Until it is confirmed."""
    session = (await asking("POST", "signup", {})).body
    user = (await asking("PUT", "user", {"email": unused_email()}, token=session["access_token"])).body
    assert (user["is_anonymous"], user["email"], "new_email" in user) == (True, "", True)


async def test_an_anonymous_user_is_signed_in_at_once(asking):
    """There is nothing to confirm."""
    assert (await asking("POST", "signup", {})).body["access_token"]


async def test_the_settings_say_so(asking):
    """For clients that ask beforehand."""
    assert (await asking("GET", "settings")).body["mailer_autoconfirm"] is False
