"""Signing up, in and out."""

from uuid import uuid4

import pytest
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError


@pytest.fixture
def credentials():
    """An address that is nobody's yet, and a password."""
    return {"email": f"{uuid4()}@example.com", "password": "correct horse"}


async def test_anonymous_user_is_signed_in(anyone):
    """At once, as a marked user of role authenticated."""
    answer = await anyone.auth.sign_in_anonymously({"options": {"data": {"name": "Ada"}}})
    user = answer.user
    assert (user.is_anonymous, user.role, user.user_metadata) == (True, "authenticated", {"name": "Ada"})
    assert (answer.session.user.id, answer.session.expires_in) == (user.id, 3600)


async def test_rows_are_signed_by_default(anyone, member, room):
    """What a user writes nobody else reads."""
    author, stranger = await member(), await member()
    note = {"room_id": (await room())["id"], "body": "mine"}
    (written,) = (await author.table("notes").insert(note).execute()).data
    seen = [(await db.table("notes").select("*").eq("id", written["id"]).execute()).data for db in (anyone, stranger)]
    assert (written["author"], seen) == ((await author.auth.get_user()).user.id, [[], []])


async def test_sign_up_by_email(anyone, credentials):
    """The user is confirmed and signed in."""
    answer = await anyone.auth.sign_up({**credentials, "options": {"data": {"name": "Ada"}}})
    user = answer.user
    assert (user.email, user.is_anonymous, user.user_metadata["name"]) == (credentials["email"], False, "Ada")
    assert user.email_confirmed_at
    assert answer.session.access_token
    assert [identity.provider for identity in user.identities] == ["email"]


async def test_sign_in_with_the_password(anyone, client, credentials):
    """It is the same user."""
    user = (await anyone.auth.sign_up(credentials)).user
    again = await (await client()).auth.sign_in_with_password(credentials)
    assert again.user.id == user.id


async def test_wrong_password(anyone, credentials):
    """It is refused without a hint at what was wrong."""
    await anyone.auth.sign_up(credentials)
    with pytest.raises(AuthApiError, match="Invalid login credentials") as raised:
        await anyone.auth.sign_in_with_password(credentials | {"password": "wrong battery"})
    assert (raised.value.code, raised.value.status) == ("invalid_credentials", 400)


async def test_address_signs_up_once(anyone, credentials):
    """The second time it is told so."""
    await anyone.auth.sign_up(credentials)
    with pytest.raises(AuthApiError) as raised:
        await anyone.auth.sign_up(credentials)
    assert (raised.value.code, raised.value.status) == ("user_already_exists", 422)


async def test_weak_password(anyone, credentials):
    """It is refused with the reason."""
    with pytest.raises(AuthWeakPasswordError) as raised:
        await anyone.auth.sign_up(credentials | {"password": "abc"})
    assert (raised.value.status, raised.value.reasons) == (422, ["length"])


async def test_refresh_gives_new_tokens(member):
    """They are the same user's."""
    someone = await member()
    before = await someone.auth.get_session()
    after = (await someone.auth.refresh_session()).session
    assert (after.user.id, after.refresh_token != before.refresh_token) == (before.user.id, True)
    await someone.table("rooms").select("*").limit(1).execute()


async def test_session_is_taken_up_by_its_tokens(client, member):
    """By another client."""
    session = await (await member()).auth.get_session()
    answer = await (await client()).auth.set_session(session.access_token, session.refresh_token)
    assert answer.user.id == session.user.id


async def test_user_changes_itself(anyone, client, credentials):
    """Its password and what it says of itself."""
    await anyone.auth.sign_up(credentials)
    await anyone.auth.update_user({"data": {"colour": "green"}, "password": "another horse"})
    again = await (await client()).auth.sign_in_with_password(credentials | {"password": "another horse"})
    assert again.user.user_metadata["colour"] == "green"


async def test_forged_token(anyone, member):
    """It is nobody's."""
    session = await (await member()).auth.get_session()
    with pytest.raises(AuthApiError) as raised:
        await anyone.auth.get_user(session.access_token[:-4] + "AAAA")
    assert (raised.value.code, raised.value.status) == ("bad_jwt", 403)


async def test_link(anyone, admin, credentials):
    """The secret key signs somebody in by one."""
    made = await admin.auth.admin.generate_link({"type": "magiclink", "email": credentials["email"]})
    answer = await anyone.auth.verify_otp({"type": "email", "token_hash": made.properties.hashed_token})
    assert answer.user.email == credentials["email"]


async def test_unsupported(anyone, credentials):
    """The error names it."""
    with pytest.raises(AuthApiError) as raised:
        await anyone.auth.sign_in_with_otp({"email": credentials["email"]})
    said = "POST /auth/v1/otp is not supported by supalocal."
    assert (raised.value.code, raised.value.status, raised.value.message) == ("not_supported", 422, said)


async def test_sign_out_ends_the_session(client, member):
    """Neither of its tokens is good for signing in."""
    someone, other = await member(), await client()
    session = await someone.auth.get_session()
    await someone.auth.sign_out()
    with pytest.raises(AuthApiError) as user:
        await other.auth.get_user(session.access_token)
    with pytest.raises(AuthApiError) as refreshed:
        await other.auth.refresh_session(session.refresh_token)
    assert (user.value.code, refreshed.value.status) == ("session_not_found", 400)
