"""A signed-in user, whose access token lives for three seconds."""

import asyncio
import json
import time
from collections import Counter

import jwt
import pytest
from support import faults, servers
from support.streams import WITHIN, path, reach, take, texts, write

import supalocal
from babelroom import Babelroom, Settings, State
from supalocal.keys import JWT_SECRET

LIFETIME = 3
QUICK = {"reconnect_delays": (0.05, 0.1), "heartbeat_interval": 0.3, "poll_interval": 0.1}

# A policy tells whose token a channel was joined by.
POLICY = """
create function is_signed_in() returns boolean language sql stable as $$ select auth.role() <> 'anon' $$;
create policy "signed-in users read" on messages as restrictive for select using (is_signed_in());
"""


@pytest.fixture(scope="module")
async def tokens_stack(tmp_path_factory, root, shared_server):
    """This project, with short tokens and messages that only a signed-in user may read."""
    folder = tmp_path_factory.mktemp("tokens") / "supabase"
    (folder / "migrations").mkdir(parents=True)
    for migration in sorted((root / "supabase/migrations").iterdir()):
        (folder / "migrations" / migration.name).symlink_to(migration)
    (folder / "migrations/20990101000000_signed_in.sql").write_text(POLICY)
    (folder / "config.toml").write_text(f"[auth]\nenable_anonymous_sign_ins = true\njwt_expiry = {LIFETIME}\n")
    if shared_server:
        shared_server.create("tokens")
    db_url = shared_server and shared_server.url(servers.SUPERUSER, "tokens")
    async with supalocal.Stack(folder, db_url=db_url, cron=False) as running:
        yield running


@pytest.fixture
async def network(tokens_stack):
    """Before that stack."""
    async with faults.proxy(tokens_stack.url) as made:
        yield made


@pytest.fixture
async def writer(tokens_stack):
    """A client with the secret key, whose token lives on."""
    async with Babelroom(Settings(supabase_url=tokens_stack.url, supabase_key=tokens_stack.secret_key)) as client:
        yield client


@pytest.fixture
async def session(writer):
    """A session there."""
    return await writer.sessions.create_session()


@pytest.fixture
async def client(network, tokens_stack):
    """A signed-in user behind the network."""
    settings = Settings(supabase_url=network.url, supabase_key=tokens_stack.publishable_key, **QUICK)
    async with Babelroom(settings) as made:
        # The library counts in whole seconds, rounded: begun here, it refreshes 0.4 s or more before the end.
        await asyncio.sleep((0.6 - time.time()) % 1)
        await made.supabase.auth.sign_in_anonymously()
        yield made


@pytest.fixture
def tokens(client):
    """Every new access token."""
    seen = asyncio.Queue()
    client.supabase.auth.on_auth_state_change(lambda _, session: seen.put_nowait(session.access_token))
    return seen


@pytest.fixture
async def states(client, session, received):
    """Of a subscription to the session's messages, from LIVE on."""
    subscription = await client.messages.subscribe_to_messages(session.id, received.put_nowait)
    states = subscription.states()
    await path(states, State.LIVE)
    return states


def confirmations(network):
    """How often the server has said of each channel that changes flow: by its join, and by each new token."""
    frames = [json.loads(frame) for socket in network.sockets for frame in socket.frames if '"system"' in frame]
    return Counter(frame["topic"] for frame in frames if frame["payload"]["status"] == "ok")


def ended_channels(network):
    """The reasons for which the server has ended channels."""
    systems = [json.loads(frame) for socket in network.sockets for frame in socket.frames if '"system"' in frame]
    return [each["payload"]["message"] for each in systems if each["payload"]["status"] == "error"]


@pytest.mark.usefixtures("states")
async def test_tokens_that_expire_cause_no_gap(client, writer, session, tokens, received):
    """Every message of four lifetimes comes, in order, and it is live in the end."""
    sent, lifetimes = [], 0
    async with asyncio.timeout(10 * LIFETIME):
        while lifetimes < 4:
            sent += await write(writer, session.id, 1, first=len(sent))
            while not tokens.empty():
                lifetimes += bool(tokens.get_nowait())
    assert texts(await take(received, len(sent))) == texts(sent)
    await reach(client, State.LIVE)
    assert client.health().restarts == 0


@pytest.mark.usefixtures("states")
async def test_a_channel_goes_on_by_each_new_token(network):
    """The server takes two of them over, and says so: by then the token of the join has expired."""
    await network.until(lambda: max(confirmations(network).values()) >= 3, within=10 * LIFETIME)


async def test_a_channel_that_expired_is_joined_again_as_the_same_user(network, states, writer, session, received):
    """Auth could not be reached in time; once it is, everything comes that only the user may read."""
    with network.answering(503, "/auth/"):
        await network.until(lambda: ended_channels(network), within=10 * LIFETIME)
        lost = (await path(states, State.DISCONNECTED))[-1]
        await write(writer, session.id, 3)
    outage = await path(states, State.LIVE)
    assert "expired" in lost.reason
    assert texts(await take(received, 3)) == ["0", "1", "2"]
    await write(writer, session.id, 1, first=3)
    assert texts(await take(received)) == ["3"]
    assert outage[-1].state is State.LIVE


@pytest.mark.usefixtures("states")
async def test_without_auth_nobody_is_joined_as_somebody_else(client, network, states):
    """The key would show what an anonymous user may see, which may be nothing: it is not live by that."""
    with network.answering(503, "/auth/") as away:
        network.cut(websockets_only=True)
        await path(states, State.DISCONNECTED)
        asked = away.hits
        await network.until(lambda: len(network.sockets) == 2 and away.hits >= asked + 3, within=WITHIN)
        assert client.state in (State.POLLING, State.DISCONNECTED)
    await path(states, State.LIVE)


async def test_calls_go_through_as_tokens_expire(client, session, tokens):
    """One after another for three lifetimes: none of them raises."""
    lifetimes = 0
    async with asyncio.timeout(10 * LIFETIME):
        while lifetimes < 3:
            await client.messages.get_session_messages(session.id)
            while not tokens.empty():
                lifetimes += bool(tokens.get_nowait())


async def test_a_call_by_an_expired_token_goes_through(client, session, user):
    """As after a machine has slept: the server refuses the token, and the caller notices nothing."""
    claims = {"role": "authenticated", "aud": "authenticated", "sub": str(user), "exp": int(time.time()) - 3600}
    client.supabase.options.headers["Authorization"] = f"Bearer {jwt.encode(claims, JWT_SECRET)}"
    sent = await client.messages.create_message(session.id, user, "Hi", "en", "es")
    assert await client.messages.get_session_messages(session.id) == [sent]


async def test_closing_a_signed_in_client_leaves_nothing_behind(network, tokens_stack, session):
    """No task, whatever the library has started; a warning would fail the test."""
    before = asyncio.all_tasks()
    client = Babelroom(Settings(supabase_url=network.url, supabase_key=tokens_stack.publishable_key, **QUICK))
    await client.supabase.auth.sign_in_anonymously()
    await client.messages.subscribe_to_messages(session.id, print)
    signs = ("babelroom ", "supabase_auth", "realtime/_async")
    own = [task for task in asyncio.all_tasks() - before if any(sign in str(task) for sign in signs)]
    await client.close()
    assert own
    await asyncio.wait(own, timeout=WITHIN)
    assert [task for task in own if not task.done()] == []
