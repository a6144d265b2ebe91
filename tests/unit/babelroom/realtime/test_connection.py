"""The supervised connection, against a real websocket server on loopback that says what it is told to say."""

import asyncio

import pytest
from support import scripted

from babelroom.realtime.connection import Connection, Options
from babelroom.realtime.socket import Broadcast, Broadcasts, Change, Lost, Rows
from babelroom.realtime.tasks import Tasks

MESSAGES = Rows("messages", "session_id=eq.1")
PARTIALS = Broadcasts("partials-1", "partial")
WITHIN = 10


class Heard:
    """A listener."""

    def __init__(self):
        self.words = asyncio.Queue()

    def on_event(self, event):
        self.words.put_nowait(event)

    def on_flowing(self):
        self.words.put_nowait("flowing")

    def on_lost(self, lost):
        self.words.put_nowait(lost)

    async def next(self):
        return await asyncio.wait_for(self.words.get(), WITHIN)


class Tokens:
    """A signed-in user's, which cannot be had at first so many times."""

    def __init__(self, *, failures=0):
        self.failures = failures

    async def __call__(self):
        if self.failures:
            self.failures -= 1
            raise OSError("Auth is away")
        return "a token"


@pytest.fixture
async def server():
    async with scripted.serve() as served:
        yield served


@pytest.fixture
async def tasks():
    made = Tasks(restart_delay=0)
    yield made
    await made.end()


@pytest.fixture
def connect(server, tasks):
    """A connection to that server."""

    def connection(*, tokens=None, confirm_within=WITHIN, heartbeat_interval=0.2):
        options = Options(
            url=f"{server.url}/realtime/v1",
            key="key",
            heartbeat_interval=heartbeat_interval,
            reconnect_delays=(0.01,),
            events_per_second=10,
            confirm_within=confirm_within,
        )
        return Connection(options, tasks, tokens or Tokens())

    return connection


@pytest.fixture
def heard():
    return Heard()


async def flowing_again(heard):
    """After whatever was lost meanwhile."""
    while await heard.next() != "flowing":
        pass


async def test_it_flows_when_the_server_says_so(server, connect, heard):
    """Not when the join is answered."""
    server.confirms = False
    connect().follow(MESSAGES, heard)
    join = await server.joined()
    await server.until(lambda: server.heartbeats)
    assert heard.words.empty()
    await join.tell()
    assert await heard.next() == "flowing"


async def test_a_change_is_told_as_it_came(server, connect, heard):
    """The new row."""
    connect().follow(MESSAGES, heard)
    assert await heard.next() == "flowing"
    await server.joins[0].change({"id": "1", "rev": 1})
    assert await heard.next() == Change(record={"id": "1", "rev": 1})


async def test_a_server_that_does_not_confirm_is_asked_again(server, connect, heard):
    """It says why, and joins anew."""
    server.confirms = False
    connect(confirm_within=0.1).follow(MESSAGES, heard)
    assert await heard.next() == Lost("Realtime did not confirm within 0.1 s that changes flow.")
    server.confirms = True
    await flowing_again(heard)


@pytest.mark.parametrize(
    ("reason", "is_refusal"),
    [
        ("InitializingProjectConnection: connecting to the database", False),
        ("InvalidJWTToken: Token has expired 12 seconds ago", True),
        ("Unauthorized: You do not have permissions to read from this Channel topic: x", True),
    ],
)
async def test_a_refused_join_is_told_and_tried_again(server, connect, heard, reason, is_refusal):
    """In the server's own words, and whether they are likely to stay."""
    server.answers = False
    connect().follow(MESSAGES, heard)
    join = await server.joined()
    server.answers = True
    await join.answer("error", reason=reason)
    lost = await heard.next()
    assert (reason in lost.reason, lost.is_refusal) == (True, is_refusal)
    assert await heard.next() == "flowing"


async def test_a_table_that_cannot_be_listened_to_is_a_refusal(server, connect, heard):
    """The `system` message says it, after the join was answered."""
    server.confirms = False
    connect().follow(MESSAGES, heard)
    await (await server.joined()).tell(status="error", message="Unable to subscribe to changes with given parameters.")
    lost = await heard.next()
    assert ("Unable to subscribe" in lost.reason, lost.is_refusal) == (True, True)


async def test_followers_of_the_same_rows_share_a_channel(server, connect, heard):
    """The second one hears at once that changes flow."""
    connection, second = connect(), Heard()
    connection.follow(MESSAGES, heard)
    await heard.next()
    connection.follow(MESSAGES, second)
    assert await second.next() == "flowing"
    assert len(server.joins) == 1


async def test_the_last_one_closes_the_socket(server, connect, heard):
    """And whoever follows again opens another, which is no reconnect."""
    connection = connect()
    connection.follow(MESSAGES, heard)
    await heard.next()
    await connection.unfollow(MESSAGES, heard)
    assert server.sockets[0].closed
    connection.follow(MESSAGES, heard)
    assert await heard.next() == "flowing"
    assert (len(server.sockets), connection.reconnects) == (2, 0)


async def test_a_token_that_cannot_be_had_is_asked_for_again(server, connect, heard, tasks):
    """Nothing is joined without it."""
    connect(tokens=Tokens(failures=2)).follow(MESSAGES, heard)
    lost = [await heard.next() for _ in range(2)]
    assert [each.reason for each in lost] == ["The access token could not be refreshed: OSError('Auth is away')."] * 2
    assert await heard.next() == "flowing"
    assert ([join.payload["access_token"] for join in server.joins], tasks.restarts) == (["a token"], 0)


async def test_a_new_token_is_sent_on_the_open_channel(server, connect, heard):
    """And the next join takes whatever token there is then."""
    connection = connect()
    connection.follow(MESSAGES, heard)
    await heard.next()
    await connection.renew_token("another")
    await server.until(lambda: server.tokens)
    assert (server.tokens, len(server.joins)) == (["another"], 1)


async def test_a_channel_whose_task_dies_is_started_again(server, connect, tasks):
    """By a listener that fails, here: the restart is counted, and changes flow again."""

    class Failing(Heard):
        def on_lost(self, lost):
            super().on_lost(lost)
            raise RuntimeError("a surprise")

    heard = Failing()
    connect().follow(MESSAGES, heard)
    await heard.next()
    await server.joins[0].shut()
    assert isinstance(await heard.next(), Lost)
    assert await heard.next() == "flowing"
    assert tasks.restarts == 1


async def test_a_socket_whose_server_falls_silent_is_replaced(server, connect, heard):
    """A heartbeat tells."""
    connection = connect()
    connection.follow(MESSAGES, heard)
    await heard.next()
    server.answers_heartbeats = False
    assert (await heard.next()).reason == "A heartbeat was not answered within 0.2 s."
    server.answers_heartbeats = True
    await flowing_again(heard)
    assert connection.reconnects >= 1


async def test_broadcasts_flow_when_the_join_is_answered(server, connect, heard):
    """No word follows, as there are no rows. Whoever sends knows the topic, so it is joined by that very name."""
    server.answers = False
    connect().follow(PARTIALS, heard)
    join = await server.joined()
    assert (join.topic, join.bindings, join.payload["config"]["private"]) == ("realtime:partials-1", [], False)
    assert heard.words.empty()
    await join.answer()
    assert await heard.next() == "flowing"


async def test_a_broadcast_is_told_as_it_was_sent(server, connect, heard):
    """One of another name is not."""
    connect().follow(PARTIALS, heard)
    await heard.next()
    await server.joins[0].broadcast("other", {"n": 1})
    await server.joins[0].broadcast("partial", {"n": 2})
    assert await heard.next() == Broadcast({"n": 2})


@pytest.mark.parametrize("payload", ["text", [1], None, 7])
async def test_a_broadcast_without_an_object_is_dropped(server, connect, heard, payload):
    """The library's rule; the channel goes on."""
    connect().follow(PARTIALS, heard)
    await heard.next()
    await server.joins[0].broadcast("partial", payload)
    await server.joins[0].broadcast("partial", {"n": 1})
    assert await heard.next() == Broadcast({"n": 1})


async def test_a_frame_too_deep_to_be_read_is_dropped(server, connect, heard):
    """Anybody can send one to a topic that they know: it costs nobody the socket."""
    connect().follow(PARTIALS, heard)
    await heard.next()
    depth = 200_000
    await server.sockets[0].send_str(
        '{"topic":"realtime:partials-1","event":"broadcast","ref":null,"payload":{"event":"partial","payload":{"a":'
        f"{'[' * depth}{']' * depth}}}}}}}"
    )
    await server.joins[0].broadcast("partial", {"n": 1})
    assert await heard.next() == Broadcast({"n": 1})
    assert len(server.sockets) == 1


async def test_nobodys_presence_is_collected(server, connect, heard):
    """A stranger can track any number of users on a topic that they know."""
    connection = connect()
    connection.follow(PARTIALS, heard)
    await heard.next()
    joins = {"stranger": {"metas": [{"phx_ref": "1"}]}}
    await server.joins[0].send("presence_diff", {"joins": joins, "leaves": {}})
    await server.joins[0].broadcast("partial", {})
    await heard.next()
    (channel,) = [each for each in connection._socket._client.channels.values() if each.topic != "phoenix"]
    assert channel.presence.state == {}


async def test_followers_of_the_same_broadcasts_share_a_channel(server, connect, heard):
    """Both hear everything, on the socket that rows come on too."""
    connection, second, rows = connect(), Heard(), Heard()
    for subject, listener in [(PARTIALS, heard), (PARTIALS, second), (MESSAGES, rows)]:
        connection.follow(subject, listener)
        assert await listener.next() == "flowing"
    await server.joins[0].broadcast("partial", {"n": 1})
    assert [await heard.next(), await second.next()] == [Broadcast({"n": 1})] * 2
    assert (len(server.joins), len(server.sockets)) == (2, 1)


async def test_a_channel_that_was_left_does_not_end_the_next_one_of_its_topic(server, connect, heard):
    """The server tells the end of the first when the second has joined, on the same socket."""
    connection, second = connect(), Heard()
    connection.follow(MESSAGES, Heard())
    connection.follow(PARTIALS, heard)
    await heard.next()
    leaving = asyncio.create_task(connection.unfollow(PARTIALS, heard))
    await asyncio.sleep(0)
    connection.follow(PARTIALS, second)
    await leaving
    assert await second.next() == "flowing"
    first, latest = [join for join in server.joins if not join.bindings]
    await first.shut()
    await first.crash()
    await latest.broadcast("partial", {"n": 1})
    assert await second.next() == Broadcast({"n": 1})
    assert heard.words.empty()


async def test_a_channel_of_broadcasts_that_the_server_ends_is_joined_again(server, connect, heard):
    """By its name, on the same socket."""
    connect().follow(PARTIALS, heard)
    await heard.next()
    await server.joins[0].shut()
    assert isinstance(await heard.next(), Lost)
    assert await heard.next() == "flowing"
    await server.joins[1].broadcast("partial", {"n": 1})
    assert await heard.next() == Broadcast({"n": 1})
    assert len(server.sockets) == 1
