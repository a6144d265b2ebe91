"""The unmodified supabase-py client."""

import asyncio

import pytest
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from .conftest import PASSWORD, unused_email


@pytest.fixture(params=["publishable_key", "anon_key"])
async def auth(client, auth_stack, request):
    """A client's auth, with either form of the key."""
    return (await client(getattr(auth_stack, request.param))).auth


async def test_sign_up_sign_in_and_read_oneself(auth):
    """The same user each time."""
    credentials = {"email": unused_email(), "password": PASSWORD}
    signed_up = await auth.sign_up(credentials | {"options": {"data": {"name": "Ann"}}})
    assert signed_up.session
    signed_in = await auth.sign_in_with_password(credentials)
    read = await auth.get_user()
    assert signed_up.user.id == signed_in.user.id == read.user.id
    assert read.user.user_metadata["name"] == "Ann"
    assert (await auth.get_user_identities()).identities[0].identity_data["email"] == credentials["email"]
    assert (await auth.get_claims())["claims"]["email"] == credentials["email"]


async def test_an_anonymous_user_becomes_permanent(auth):
    """By update_user, and the session goes on."""
    entered = await auth.sign_in_anonymously({"options": {"data": {"nick": "a"}}})
    assert (entered.user.is_anonymous, entered.user.user_metadata) == (True, {"nick": "a"})
    changed = await auth.update_user({"email": unused_email(), "password": PASSWORD})
    assert (changed.user.id, changed.user.is_anonymous) == (entered.user.id, False)
    refreshed = await auth.refresh_session()
    assert refreshed.session.refresh_token != entered.session.refresh_token
    assert refreshed.user.is_anonymous is False


async def test_a_session_is_taken_over(auth, client):
    """By its two tokens, as a server does for a browser."""
    session = (await auth.sign_in_anonymously()).session
    other = (await client()).auth
    taken = await other.set_session(session.access_token, session.refresh_token)
    assert taken.user.id == session.user.id


async def test_errors_carry_their_code(auth):
    """As clients compare it."""
    with pytest.raises(AuthApiError) as wrong:
        await auth.sign_in_with_password({"email": "nobody@example.com", "password": PASSWORD})
    assert (wrong.value.code, wrong.value.status) == ("invalid_credentials", 400)
    with pytest.raises(AuthWeakPasswordError) as weak:
        await auth.sign_up({"email": unused_email(), "password": "123"})
    assert weak.value.reasons == ["length"]
    with pytest.raises(AuthApiError, match="not supported by supalocal"):
        await auth.sign_in_with_otp({"email": "a@b.c"})


@pytest.mark.parametrize("scope", ["global", "local", "others"])
async def test_sign_out_in_each_scope(auth, client, scope):
    """One's own session, the other ones, all."""
    credentials = {"email": unused_email(), "password": PASSWORD}
    mine = (await auth.sign_up(credentials)).session
    other = (await client()).auth
    theirs = (await other.sign_in_with_password(credentials)).session
    await auth.sign_out({"scope": scope})
    over = {"global": [mine, theirs], "local": [mine], "others": [theirs]}[scope]
    for session in (mine, theirs):
        if session in over:
            with pytest.raises(AuthApiError, match="Session from session_id claim in JWT does not exist"):
                await other.get_user(session.access_token)
        else:
            assert await other.get_user(session.access_token)


async def test_the_client_refreshes_by_its_own_timer(configured, client):
    """Ten seconds before the token ends."""
    brief = await configured(enable_anonymous_sign_ins=True, jwt_expiry=11)
    auth = (await client(brief.publishable_key, brief.url)).auth
    refreshed = asyncio.Event()
    auth.on_auth_state_change(lambda event, _: refreshed.set() if event == "TOKEN_REFRESHED" else None)
    first = (await auth.sign_in_anonymously()).session
    async with asyncio.timeout(10):
        await refreshed.wait()
    session = await auth.get_session()
    assert session.refresh_token != first.refresh_token


async def test_the_admin_makes_lists_and_deletes_users(client, auth_stack):
    """With both forms of the secret key."""
    for key in (auth_stack.secret_key, auth_stack.service_role_key):
        admin = (await client(key)).auth.admin
        email = unused_email()
        made = (await admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True})).user
        assert made.id in {user.id for user in await admin.list_users()}
        changed = await admin.update_user_by_id(made.id, {"user_metadata": {"a": 1}})
        assert changed.user.user_metadata["a"] == 1
        assert (await admin.get_user_by_id(made.id)).user.email == email
        await admin.delete_user(made.id)
        assert made.id not in {user.id for user in await admin.list_users()}


async def test_rows_and_changes_are_the_users_own(client):
    """REST writes and Realtime tells under row level security, with the session's token."""
    ann, bob = await client(), await client()
    me = (await ann.auth.sign_in_anonymously()).user
    await bob.auth.sign_in_anonymously()
    heard, ready = asyncio.Queue(), asyncio.Event()
    channel = ann.channel("notes")
    channel.on_postgres_changes("INSERT", schema="public", table="notes", callback=heard.put_nowait)
    channel.on_system(lambda _: ready.set())
    await channel.subscribe()
    async with asyncio.timeout(10):
        await ready.wait()
        await bob.table("notes").insert({"id": 10}, returning="minimal").execute()
        await ann.table("notes").insert({"id": 11}).execute()
        change = await heard.get()
    assert change["data"]["record"] == {"id": 11, "owner": me.id}
    assert (await ann.table("notes").select("id").execute()).data == [{"id": 11}]
    assert heard.empty()
