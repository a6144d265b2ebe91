"""Connections that are lost, fall silent or are closed: a subscription comes back by itself, with everything missed."""

import asyncio
import logging
import time

import pytest
from support import scripted
from support.streams import WITHIN, numbers, path, reach, take, texts, write

from babelroom import State

THOUSANDTHS = (0.001, 0.002, 0.004, 0.008, 0.015, 0.030)
"""The usual delays, a thousand times as quick."""


class Failures(logging.Handler):
    """Counts what the client logs of connections that it lost or could not open."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.more = asyncio.Event()

    def emit(self, record):
        if "Realtime is away" in record.getMessage():
            self.count += 1
            self.more.set()

    async def reach(self, count):
        async with asyncio.timeout(WITHIN):
            while self.count < count:
                self.more.clear()
                await self.more.wait()


@pytest.fixture
def failures(caplog):
    """How often Realtime could not be had."""
    counter, logger = Failures(), logging.getLogger("babelroom")
    with caplog.at_level(logging.INFO, "babelroom"):
        logger.addHandler(counter)
        yield counter
        logger.removeHandler(counter)


def states_of(changes):
    return [change.state for change in changes]


async def live(client, session, received):
    """A subscription to the session's messages, and its states from LIVE on."""
    subscription = await client.messages.subscribe_to_messages(session.id, received.put_nowait)
    states = subscription.states()
    await path(states, State.LIVE)
    return subscription, states


async def test_ten_minutes_without_a_network_end_by_themselves(connect, network, writer, session, received, failures):
    """In thousandths: the 26 attempts that ten minutes bring are refused, and everything written meanwhile comes."""
    client = connect(reconnect_delays=THOUSANDTHS)
    _, states = await live(client, session, received)
    async with network.refusing():
        network.cut()
        await failures.reach(26)
        await write(writer, session.id, 30)
    assert texts(await take(received, 30)) == numbers(30)
    await path(states, State.LIVE)
    assert client.health().reconnects == 1


async def test_a_lost_connection_is_noticed_at_once(connect, network, session, received):
    """Not by the next heartbeat, which is a minute away."""
    client = connect(heartbeat_interval=60)
    _, states = await live(client, session, received)
    network.cut(websockets_only=True)
    assert (await path(states, State.DISCONNECTED))[-1].reason.startswith(("The connection", "Reading the connection"))
    await path(states, State.LIVE)


async def test_a_half_open_websocket_is_noticed_within_two_heartbeats(connect, network, writer, session, received):
    """Another one is opened, on which what was missed comes; the bound leaves a second to the machine."""
    beat = 0.5
    client = connect(heartbeat_interval=beat)
    _, states = await live(client, session, received)
    begun = time.perf_counter()
    network.silence(websockets_only=True)
    await write(writer, session.id, 3)
    lost = (await path(states, State.DISCONNECTED))[-1]
    elapsed = time.perf_counter() - begun
    assert texts(await take(received, 3)) == numbers(3)
    await path(states, State.LIVE)
    assert (lost.reason, len(network.sockets)) == ("A heartbeat was not answered within 0.5 s.", 2)
    assert elapsed < 2 * beat + 1


async def test_a_cut_in_the_middle_of_joining_is_survived(connect, network, writer, session, received):
    """The server has answered, and the answer never comes."""
    network.frames = lambda: (lambda _: []) if not network.sockets else (lambda frame: [frame])
    client = connect()
    subscribing = asyncio.create_task(client.messages.subscribe_to_messages(session.id, received.put_nowait))
    await network.until(lambda: network.sockets and network.sockets[0].frames)
    network.cut()
    subscription = await asyncio.wait_for(subscribing, WITHIN)
    await reach(subscription, State.LIVE)
    await write(writer, session.id, 1)
    assert texts(await take(received)) == numbers(1)


@pytest.mark.parametrize("code", [1000, 1001, 1012])
async def test_a_server_that_closes_the_connection_is_connected_to_again(
    server, scripted_client, session, received, code
):
    """Normal closure, going away, service restart: none of them is an end."""
    _, states = await live(scripted_client, session, received)
    await server.sockets[0].close(code=code)
    await path(states, State.DISCONNECTED)
    await path(states, State.LIVE)
    await server.joins[-1].change(scripted.message(session.id, 1))
    assert texts(await take(received)) == ["1"]


@pytest.mark.parametrize("end", ["shut", "crash", "tell"])
async def test_a_channel_that_the_server_ends_is_joined_again(server, scripted_client, session, received, end):
    """Closed, crashed or failed by a `system` error: on the same socket, while its other channel stays live."""
    _, states = await live(scripted_client, session, received)
    other = await scripted_client.activity.subscribe_to_activities(session.id, print)
    others = other.states()
    await path(others, State.LIVE)
    ended = server.joins[0]
    await (ended.tell(status="error", message="Something broke.") if end == "tell" else getattr(ended, end)())
    await path(states, State.DISCONNECTED)
    await path(states, State.LIVE)
    await other.unsubscribe()
    assert [join.table for join in server.joins] == ["messages", "user_activity", "messages"]
    assert (len(server.sockets), states_of(await path(others, State.CLOSED))) == (1, [State.CLOSED])


async def test_an_outage_is_told_in_order_with_its_reasons(connect, network, session, received):
    """Of the subscription, from live to live: Realtime alone is away, so that REST is polled meanwhile."""
    _, states = await live(connect(), session, received)
    with network.answering(503, "/realtime/"):
        network.cut(websockets_only=True)
        outage = await path(states, State.POLLING)
    outage += await path(states, State.LIVE)
    assert states_of(outage) == [State.DISCONNECTED, State.POLLING, State.CATCHING_UP, State.LIVE]
    assert [change.reason.split(":")[0].split(".")[0] for change in outage[1:]] == [
        "Realtime is away, REST answers",
        "Changes flow; what was missed before is fetched",
        "Changes flow, and nothing is missing",
    ]


async def test_an_outage_of_everything_is_not_told_as_polling(connect, network, session, received):
    """Disconnected until both are back."""
    client = connect()
    _, states = await live(client, session, received)
    async with network.refusing():
        network.cut()
        outage = await path(states, State.DISCONNECTED)
    outage += await path(states, State.LIVE)
    assert states_of(outage)[0] is State.DISCONNECTED
    assert states_of(outage)[-2:] == [State.CATCHING_UP, State.LIVE]


async def test_the_client_tells_the_worst_of_its_subscriptions(connect, network, session, received):
    """Its own states pass through the outage too, and end when it is closed."""
    client = connect()
    await live(client, session, received)
    states = client.states()
    await path(states, State.LIVE)
    with network.answering(503, "/realtime/"):
        network.cut(websockets_only=True)
        outage = await path(states, State.POLLING)
    outage += await path(states, State.LIVE)
    await client.close()
    outage += await path(states, State.CLOSED)
    assert states_of(outage) == [
        State.DISCONNECTED, State.POLLING, State.CATCHING_UP, State.LIVE, State.DISCONNECTED, State.CLOSED,
    ]  # fmt: skip


async def test_health_counts_what_an_outage_cost(connect, network, writer, session, received):
    """One reconnect, one gap that a fetch repaired, no task that died."""
    client = connect()
    subscription, states = await live(client, session, received)
    with network.answering(503) as away:
        network.cut()
        await network.until(lambda: away.hits)
        await write(writer, session.id, 3)
    await path(states, State.LIVE)
    await take(received, 3)
    health = client.health()
    assert (health.state, health.reconnects, health.gaps_repaired, health.restarts) == (State.LIVE, 1, 1, 0)
    assert (health.subscriptions[0].topic, health.subscriptions[0].reason) == (
        f"messages, session_id=eq.{session.id}", subscription.reason,
    )  # fmt: skip


async def test_health_tells_how_long_something_may_have_been_missing(connect, network, session, received):
    """The lag grows with an outage of everything, and is over with it."""
    client = connect()
    _, states = await live(client, session, received)
    before = client.health().lag
    async with network.refusing():
        network.cut()
        await path(states, State.DISCONNECTED)
        early = client.health().lag
        begun = time.monotonic()
        await asyncio.sleep(0.05)  # it is a duration that is measured
        late, elapsed = client.health().lag, time.monotonic() - begun
    await path(states, State.LIVE)
    assert (before, client.health().lag) == (0, 0)
    assert late >= early + 0.05
    assert late <= early + elapsed + 0.01


async def test_health_tells_how_old_the_last_event_is(connect, writer, session, received):
    """None before the first one."""
    client = connect()
    await live(client, session, received)
    assert client.health().last_event_age is None
    begun = time.monotonic()
    await write(writer, session.id, 1)
    await take(received)
    assert 0 <= client.health().last_event_age <= time.monotonic() - begun
