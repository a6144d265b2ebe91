"""Links and codes that the secret key asks for, and what they are worth."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from .conftest import PASSWORD, SEEDED, unused_email

SITE = "http://127.0.0.1:3000"


@pytest.fixture
def link(ask, auth_stack):
    """The answer to a wish for a link."""

    async def generate(kind, email, **more):
        given = {"type": kind, "email": email, **more}
        return await ask("POST", "admin/generate_link", given, token=auth_stack.service_role_key)

    return generate


@pytest.fixture
def generated(link):
    """A link."""

    async def generate(kind, email, **more):
        answer = await link(kind, email, **more)
        assert answer.status == 200, answer.body
        return answer.body

    return generate


@pytest.fixture
def verify(ask):
    """The answer to a token or a code."""

    async def send(**given):
        return await ask("POST", "verify", given)

    return send


@pytest.fixture
def follow(ask):
    """Where an action link leads: the URL before the fragment, and what the fragment tells."""

    async def go(action_link):
        answer = await ask("GET", f"verify?{urlsplit(action_link).query}", allow_redirects=False)
        assert answer.status == 303
        target, _, fragment = answer.headers["Location"].partition("#")
        return target, {name: value for name, [value] in parse_qs(fragment).items()}

    return go


async def test_a_link_comes_with_the_user_and_its_parts(generated, auth_stack):
    """As the real server tells them."""
    made = await generated("magiclink", SEEDED, redirect_to=f"{SITE}/welcome")
    assert (made["email"], made["verification_type"], made["redirect_to"]) == (SEEDED, "magiclink", f"{SITE}/welcome")
    query = f"token={made['hashed_token']}&type=magiclink&redirect_to={SITE}/welcome"
    assert made["action_link"] == f"{auth_stack.url}/auth/v1/verify?{query}"
    assert made["email_otp"].isdigit()
    assert len(made["email_otp"]) == 6


async def test_a_link_for_a_new_user_makes_one(generated, sign_in):
    """Unconfirmed until the link is used."""
    made = await generated("signup", email := unused_email(), password=PASSWORD, data={"status": "alpha"})
    assert (made["user_metadata"], "email_confirmed_at" in made) == ({"status": "alpha"}, False)
    assert (await sign_in(email)).body["code"] == "email_not_confirmed"


@pytest.mark.parametrize("by", ["token_hash", "code"])
@pytest.mark.parametrize("kind", ["signup", "magiclink", "invite", "recovery", "email"])
async def test_a_link_signs_in(generated, verify, kind, by):
    """By its token, and by the code that came with it; a client that got a code by mail says `email`."""
    email = unused_email()
    await generated("signup", email, password=PASSWORD)
    made = await generated("magiclink" if kind == "email" else kind, email, password=PASSWORD)
    proof = {"token_hash": made["hashed_token"]} if by == "token_hash" else {"token": made["email_otp"], "email": email}
    answer = await verify(type=kind, **proof)
    assert (answer.status, answer.body["user"]["email"]) == (200, email)
    assert answer.body["user"]["email_confirmed_at"]
    assert answer.body["user"]["identities"][0]["identity_data"]["email_verified"]


async def test_a_magic_link_for_nobody_signs_up(generated, verify):
    """The link's own type says which kind it became."""
    made = await generated("magiclink", unused_email())
    assert made["verification_type"] == "signup"
    assert (await verify(type="signup", token_hash=made["hashed_token"])).status == 200


async def test_who_was_invited_is_marked(generated, verify):
    """And is signed in by the link, to choose a password."""
    made = await generated("invite", unused_email())
    assert made["invited_at"]
    answer = await verify(type="invite", token_hash=made["hashed_token"])
    assert answer.body["user"]["invited_at"] == made["invited_at"]


async def test_a_link_serves_once(generated, verify):
    """The second time it is as good as none."""
    made = await generated("magiclink", SEEDED)
    await verify(type="magiclink", token_hash=made["hashed_token"])
    again = await verify(type="magiclink", token_hash=made["hashed_token"])
    told = {"code": "otp_expired", "message": "Email link is invalid or has expired"}
    assert (again.status, again.body) == (403, told)


async def test_a_link_expires(generated, verify, postgres):
    """After an hour."""
    made = await generated("magiclink", email := unused_email())
    late = "update auth.users set confirmation_sent_at = now() - interval '61 minutes' where email = %s"
    await postgres.execute(late, [email])
    answer = await verify(type="signup", token_hash=made["hashed_token"])
    assert (answer.status, answer.body["code"]) == (403, "otp_expired")


async def test_an_address_changes_by_a_link(generated, verify, sign_up, sign_in):
    """The new one counts once the link is used."""
    old, new = unused_email(), unused_email()
    await sign_up(old)
    made = await generated("email_change_new", old, new_email=new)
    assert (made["email"], made["new_email"]) == (old, new)
    answer = await verify(type="email_change", token_hash=made["hashed_token"])
    assert (answer.body["user"]["email"], "new_email" in answer.body["user"]) == (new, False)
    assert (await sign_in(new)).status == 200


async def test_a_link_that_is_followed_leads_to_the_app(generated, follow, ask):
    """With the session in the fragment."""
    target, told = await follow((await generated("magiclink", SEEDED))["action_link"])
    assert (target, told["type"], told["token_type"]) == (SITE, "magiclink", "bearer")
    assert (await ask("GET", "user", token=told["access_token"])).body["email"] == SEEDED


async def test_a_link_that_is_spent_leads_to_the_app_too(follow):
    """With the refusal in the fragment."""
    target, told = await follow("http://x/verify?token=0&type=magiclink&redirect_to=https://evil.example.com")
    refusal = {"error": "access_denied", "error_code": "otp_expired"}
    assert (target, told) == (SITE, refusal | {"error_description": "Email link is invalid or has expired"})


@pytest.mark.parametrize(
    ("kind", "given", "status", "message"),
    [
        ("signup", {"email": ""}, 400, "An email address is required"),
        ("signup", {"email": "xx:;x@x.x"}, 400, "Unable to validate email address: invalid format"),
        ("signup", {}, 400, "Signup requires a valid password"),
        ("signup", {"password": "123"}, 422, "Password should be at least 6 characters."),
        ("signup", {"email": SEEDED}, 422, "A user with this email address has already been registered"),
        ("invite", {"email": SEEDED}, 422, "A user with this email address has already been registered"),
        ("recovery", {}, 404, "User with this email not found"),
        ("email_change_new", {"email": SEEDED}, 400, "An email address is required"),
        ("letter", {}, 400, "Invalid email action link type requested: letter"),
    ],
)
async def test_what_no_link_is_made_for(link, kind, given, status, message):
    """In the real server's words."""
    answer = await link(kind, **{"email": unused_email(), **given})
    assert (answer.status, answer.body["message"]) == (status, message)


async def test_only_the_secret_key_asks_for_links(ask):
    """The public one signs nobody in."""
    answer = await ask("POST", "admin/generate_link", {"type": "magiclink", "email": SEEDED})
    assert (answer.status, answer.body["code"]) in ((401, "no_authorization"), (403, "not_admin"))


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({"token": "1"}, 400, "Verify requires a verification type"),
        ({"type": "signup"}, 400, "Verify requires either a token or a token hash"),
        ({"type": "signup", "token": "1", "token_hash": "2"}, 400, "Verify requires either a token or a token hash"),
        ({"type": "signup", "token": "1"}, 400, "Only an email address or phone number should be provided on verify"),
        ({"type": "email", "token_hash": "1", "email": SEEDED}, 400, "Only the token_hash and type should be provided"),
        ({"type": "letter", "token_hash": "1"}, 400, "Invalid email verification type"),
        ({"type": "email", "token": "000000", "email": unused_email()}, 403, "Token has expired or is invalid"),
        ({"type": "sms", "token": "123456", "phone": "15550100"}, 403, "Token has expired or is invalid"),
        ({"type": "sms", "token": "123456", "phone": "1-x"}, 400, "Invalid phone number format (E.164 required)"),
    ],
)
async def test_what_verifies_nobody(verify, given, status, message):
    """In the real server's words."""
    answer = await verify(**given)
    assert (answer.status, answer.body["message"]) == (status, message)


async def test_a_banned_user_is_not_let_in_by_a_link(generated, verify, ask, auth_stack):
    """Whatever the token."""
    made = await generated("signup", unused_email(), password=PASSWORD)
    path, key = f"admin/users/{made['id']}", auth_stack.service_role_key
    await ask("PUT", path, {"ban_duration": "1h"}, token=key)
    answer = await verify(type="signup", token_hash=made["hashed_token"])
    assert (answer.status, answer.body["code"]) == (403, "user_banned")


@pytest.fixture
def logged(caplog):
    """The code that the log tells of a mail that is not sent."""

    def code(email):
        (told,) = [text for text in caplog.messages if email in text]
        return re.search(r"the code (\d{6})", told)[1]

    return code


async def test_an_invitation_is_told_by_the_log(ask, auth_stack, verify, logged):
    """The user is made and marked; the code signs in."""
    given = {"email": unused_email(), "data": {"status": "alpha"}}
    invited = await ask("POST", "invite", given, token=auth_stack.service_role_key)
    assert (invited.status, invited.body["user_metadata"]) == (200, {"status": "alpha"})
    assert invited.body["invited_at"]
    answer = await verify(type="invite", email=given["email"], token=logged(given["email"]))
    assert answer.body["user"]["id"] == invited.body["id"]


async def test_only_the_secret_key_invites(ask):
    """Whoever has the public one may not."""
    answer = await ask("POST", "invite", {"email": unused_email()})
    assert answer.status in (401, 403)


async def test_a_forgotten_password_is_set_anew(ask, sign_up, sign_in, verify, logged):
    """The log tells the code, which signs in to change it."""
    await sign_up(email := unused_email())
    asked = await ask("POST", "recover", {"email": email})
    assert (asked.status, asked.body) == (200, {})
    session = (await verify(type="recovery", email=email, token=logged(email))).body
    await ask("PUT", "user", {"password": "another horse"}, token=session["access_token"])
    assert (await sign_in(email, "another horse")).status == 200


async def test_nobody_learns_whose_an_address_is(ask):
    """Of one that is nobody's the answer is the same."""
    answer = await ask("POST", "recover", {"email": unused_email()})
    assert (answer.status, answer.body) == (200, {})


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({}, 400, "Password recovery requires an email"),
        ({"email": "a"}, 400, "Unable to validate email address: invalid format"),
        (
            {"email": SEEDED, "code_challenge": "x" * 43},
            422,
            "POST /auth/v1/recover with a code_challenge is not supported by supalocal.",
        ),
    ],
)
async def test_what_recovers_no_password(ask, given, status, message):
    """A code for a code is not exchanged here."""
    answer = await ask("POST", "recover", given)
    assert (answer.status, answer.body["message"]) == (status, message)


async def test_there_is_no_single_sign_on(ask):
    """In the words of a project without an identity provider."""
    answer = await ask("POST", "sso", {"domain": "example.com"})
    assert (answer.status, answer.body["message"]) == (404, "SAML 2.0 is disabled")
