"""Passwords."""

import pytest

from .conftest import PASSWORD, SEEDED, unused_email

WRONG = {"code": "invalid_credentials", "message": "Invalid login credentials"}


async def test_a_password_opens_a_session_of_its_own(sign_up, sign_in):
    """Another session than that of the sign-up, for the same user."""
    email = unused_email()
    first = await sign_up(email)
    answer = await sign_in(email.upper())
    assert (answer.status, answer.body["user"]["id"]) == (200, first["user"]["id"])
    assert answer.body["refresh_token"] != first["refresh_token"]


async def test_a_seeded_user_signs_in(sign_in):
    """With a hash by pgcrypto's crypt and the token columns empty, as seed files have it."""
    answer = await sign_in(SEEDED)
    assert (answer.status, answer.body["user"]["identities"][0]["email"]) == (200, SEEDED)


async def test_a_row_that_hosted_cannot_read_fails_here_too(sign_in, postgres, caplog):
    """A null in a token column is the seed file's mistake: the wire says little, the log all."""
    email = unused_email()
    await postgres.execute(
        "insert into auth.users (instance_id, id, aud, role, email) values ('00000000-0000-0000-0000-000000000000',"
        " gen_random_uuid(), 'authenticated', 'authenticated', %s)",
        [email],
    )
    answer = await sign_in(email)
    assert (answer.status, answer.body["message"]) == (500, "Database error querying schema")
    assert "'' will do for tokens" in caplog.text
    await postgres.execute("delete from auth.users where email = %s", [email])


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD + " ", "x" * 100, "\ud800"])
async def test_a_wrong_password_is_refused(sign_in, password):
    """Whatever it looks like."""
    answer = await sign_in(SEEDED, password)
    assert (answer.status, answer.body) == (400, WRONG)


async def test_an_unknown_address_is_refused_in_the_same_words(sign_in):
    """Nobody learns who is registered."""
    answer = await sign_in("nobody@example.com")
    assert (answer.status, answer.body) == (400, WRONG)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "validation_failed"),
        ({"phone": "123", "password": PASSWORD}, 422, "phone_provider_disabled"),
        ({"phone": "123", "email": "a@b.c"}, 400, "validation_failed"),
    ],
)
async def test_only_an_address_signs_in(ask, body, status, code):
    """Phones need a provider, which there is not."""
    answer = await ask("POST", "token?grant_type=password", body)
    assert (answer.status, answer.body["code"]) == (status, code)


@pytest.mark.parametrize("grant", ["pkce", "id_token", "web3"])
async def test_a_grant_that_is_missing_is_named(configured, ask, grant):
    """No silent gap."""
    server = await configured(enable_web3=True)
    answer = await ask("POST", f"token?grant_type={grant}", {}, stack=server)
    message = f"POST /auth/v1/token?grant_type={grant} is not supported by supalocal."
    assert (answer.status, answer.body) == (422, {"code": "not_supported", "message": message})


async def test_a_wallet_signs_nobody_in(ask):
    """As on a project that does not enable it."""
    answer = await ask("POST", "token?grant_type=web3", {"chain": "solana"})
    assert (answer.status, answer.body) == (
        422,
        {"code": "web3_provider_disabled", "message": "Web3 provider is disabled"},
    )


async def test_a_made_up_grant_is_refused(ask):
    """With the code that the real server gives."""
    answer = await ask("POST", "token?grant_type=magic", {})
    expected = {"code": "invalid_credentials", "message": "unsupported_grant_type"}
    assert (answer.status, answer.body) == (400, expected)


async def test_a_password_that_became_too_short_is_told(configured, ask):
    """It still signs in."""
    strict = await configured(minimum_password_length=20)
    body = {"email": SEEDED, "password": PASSWORD}
    answer = await ask("POST", "token?grant_type=password", body, stack=strict)
    message = "Password should be at least 20 characters."
    assert (answer.status, answer.body["weak_password"]) == (200, {"message": message, "reasons": ["length"]})
