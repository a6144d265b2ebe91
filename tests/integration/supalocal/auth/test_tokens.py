"""Tokens where they are used: REST and Realtime under row level security."""

import base64
import json

import aiohttp
import jwt
import psycopg
import pytest

from supalocal.keys import JWT_SECRET


def unsigned(claims):
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.fixture(params=["none", "HS512", "HS384"])
def forged(request):
    """Makes tokens of an algorithm that is not the stack's."""

    def make(**claims):
        if request.param == "none":
            return unsigned(claims)
        return jwt.encode(claims, JWT_SECRET.ljust(64, "x"), algorithm=request.param)

    return make


async def test_a_foreign_algorithm_is_refused_by_rest(auth_stack, http, forged):
    """401, whatever the token claims."""
    headers = {"Authorization": f"Bearer {forged(role='service_role')}"}
    async with http.get(f"{auth_stack.url}/rest/v1/notes", headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, "PGRST301")


async def test_a_foreign_algorithm_is_refused_by_auth(ask, forged):
    """403, for users and for admins."""
    for path in ("user", "admin/users"):
        answer = await ask("GET", path, token=forged(role="service_role", sub="5eed0000-0000-4000-8000-000000000001"))
        assert (answer.status, answer.body["code"]) == (403, "bad_jwt")
        assert "signing method" in answer.body["message"]


async def test_a_foreign_algorithm_opens_no_socket(auth_stack, http, forged):
    """Refused at the handshake."""
    token = forged(role="service_role", exp=2**40)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(f"{auth_stack.url}/realtime/v1/websocket?apikey={token}&vsn=1.0.0")
    assert refused.value.status == 401


async def test_a_foreign_algorithm_joins_no_channel(auth_stack, http, forged):
    """Refused at the join."""
    url = f"{auth_stack.url}/realtime/v1/websocket?apikey={auth_stack.publishable_key}&vsn=1.0.0"
    async with http.ws_connect(url) as socket:
        payload = {"config": {}, "access_token": forged(role="service_role", exp=2**40)}
        join = {"topic": "realtime:room", "event": "phx_join", "payload": payload, "ref": "1", "join_ref": "1"}
        await socket.send_json(join)
        told = await socket.receive_json(timeout=5)
        assert told["payload"]["status"] == "error"


async def test_policies_see_the_user(auth_stack, http, anonymous, postgres):
    """auth.uid() is the caller's: each reads and writes their own rows."""
    ann, bob = await anonymous(), await anonymous()
    await postgres.execute("insert into notes values (1, %s), (2, %s)", [ann["user"]["id"], bob["user"]["id"]])
    for session, seen in ((ann, [1]), (bob, [2])):
        headers = {"apikey": auth_stack.publishable_key, "Authorization": f"Bearer {session['access_token']}"}
        async with http.get(f"{auth_stack.url}/rest/v1/notes?select=id", headers=headers) as answer:
            assert [note["id"] for note in await answer.json()] == seen
    await postgres.execute("delete from notes")


async def test_a_users_token_beside_the_secret_key_is_the_users(auth_stack, http, anonymous, postgres):
    """The key does not lift a user over row level security."""
    session = await anonymous()
    await postgres.execute("insert into notes values (3, null)")
    headers = {"apikey": auth_stack.secret_key, "Authorization": f"Bearer {session['access_token']}"}
    async with http.get(f"{auth_stack.url}/rest/v1/notes", headers=headers) as answer:
        assert await answer.json() == []
    await postgres.execute("delete from notes")


async def test_a_trigger_without_the_rights_fails_as_on_hosted(ask, postgres):
    """Auth writes as supabase_auth_admin, who has no rights on the project's tables: hence `security definer`."""
    await postgres.execute(
        "create function carelessly() returns trigger language plpgsql as"
        " 'begin insert into public.notes values (4, new.id); return new; end'"
    )
    await postgres.execute(
        "create trigger careless after insert on auth.users for each row execute function carelessly()"
    )
    try:
        answer = await ask("POST", "signup", {"email": "careless@example.com", "password": "correct horse"})
        assert (answer.status, answer.body["message"]) == (500, "Database error saving new user")
    finally:
        await postgres.execute("drop trigger careless on auth.users")
        await postgres.execute("drop function carelessly")


async def test_the_schema_of_auth_is_not_the_projects(postgres):
    """As on hosted, migrations put nothing into it."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema auth"):
        await postgres.execute("create table auth.mine (id int)")
