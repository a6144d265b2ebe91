"""Whoever stops waiting, wherever, leaves nothing behind."""

import asyncio
import gc
import sys
import types
from asyncio.subprocess import PIPE
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from random import Random
from uuid import uuid4

import pytest
from support.streams import reach

from babelroom import State

ROUNDS, WORKERS = 1_000, 8
MOST_AWAITS = 40
LONG = 0.5  # seconds


@types.coroutine
def cancelled_at(place, work):
    """Run the coroutine, and cancel the task when it waits for the so-manieth time."""
    steps, task = work.__await__(), asyncio.current_task()
    proceed, given = steps.send, None
    for number in count():
        try:
            waited_for = proceed(given)
        except StopIteration as end:
            return end.value
        if number == place:
            task.cancel()  # takes effect at this wait, before anything that it has begun could run
        try:
            proceed, given = steps.send, (yield waited_for)
        except BaseException as error:  # noqa: BLE001  for the coroutine to handle
            proceed, given = steps.throw, error


async def attempt(place, work):
    """Whether it was cancelled there, or when it went on for long, rather than done before."""
    task = asyncio.create_task(as_coroutine(place, work))
    await asyncio.wait([task], timeout=LONG)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return task.cancelled()


async def as_coroutine(place, work):
    return await cancelled_at(place, work)


class Wanderer:
    """Does random things and is cancelled in the middle of them."""

    def __init__(self, connect, session, seed):
        self.rng = Random(seed)  # noqa: S311  no secret
        self.connect, self.session = connect, session
        self.client = connect()
        self.cancelled = Counter()

    async def wander(self, rounds):
        for number in rounds:
            name = self.rng.choice(["subscribe", "iterate", "unsubscribe", "send", "close"])
            place = self.rng.randrange(MOST_AWAITS if number % 2 else 5)
            self.cancelled[name] += await getattr(self, name)(place)

    async def subscribe(self, place):
        async def work():
            opened.append(await self.client.messages.subscribe_to_messages(self.session.id, opened.append))

        opened = []
        was_cancelled = await attempt(place, work())
        for subscription in opened[:1]:
            await subscription.unsubscribe()
        return was_cancelled

    async def iterate(self, place):
        async def work():
            async for _ in self.client.messages.stream(self.session.id, since_start=True):
                pass

        return await attempt(place, work())

    async def unsubscribe(self, place):
        subscription = await self.client.messages.subscribe_to_messages(self.session.id, str)
        return await attempt(place, subscription.unsubscribe())

    async def send(self, place):
        work = self.client.messages.create_message(self.session.id, uuid4(), "Hello", "en", "es")
        return await attempt(place, work)

    async def close(self, place):
        client = self.connect()
        await client.messages.subscribe_to_messages(self.session.id, str)
        return await attempt(place, client.close())


def ours(task):
    """Whether the SDK or the library beneath it started the task."""
    return "babelroom" in task.get_name() or "realtime/" in repr(task)


async def test_a_thousand_cancellations_leave_nothing(network, connect, writer, session, user):
    """Of subscribing, iterating, unsubscribing, sending and closing, at random awaits; the clients still work."""
    before = {task for task in asyncio.all_tasks() if ours(task)}
    wanderers = [Wanderer(connect, session, seed) for seed in range(WORKERS)]
    rounds = iter(range(ROUNDS))
    await asyncio.gather(*(wanderer.wander(rounds) for wanderer in wanderers))
    cancelled = sum((wanderer.cancelled for wanderer in wanderers), Counter())
    gc.collect()  # an iterator that was left ends with its garbage
    assert all(cancelled[name] > ROUNDS / 50 for name in ("subscribe", "iterate", "unsubscribe", "send", "close"))
    for wanderer in wanderers:
        await reach(wanderer.client, State.DISCONNECTED)
        assert wanderer.client.health().subscriptions == ()
    await network.until(lambda: not network.open_sockets)
    left = {task for task in asyncio.all_tasks() - before if ours(task)}
    if left:
        await asyncio.wait(left, timeout=5)
    assert [task for task in left if not task.done()] == []
    heard = asyncio.Queue()
    for wanderer in wanderers:
        await wanderer.client.messages.subscribe_to_messages(session.id, heard.put_nowait)
    sent = await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    assert [await asyncio.wait_for(heard.get(), 10) for _ in wanderers] == [sent] * WORKERS


async def test_unsubscribing_ends_the_subscription_though_it_is_cancelled(network, connect, session):
    """Here while it waits for the callback's end."""
    client = connect()
    subscription = await client.messages.subscribe_to_messages(session.id, str)
    assert await attempt(0, subscription.unsubscribe())
    assert client.health().subscriptions == ()
    await network.until(lambda: not network.open_sockets)


@pytest.mark.parametrize("place", range(6))
async def test_closing_ends_every_iteration_wherever_it_is_cancelled(connect, session, place):
    """A caller without patience leaves nothing that would wait for ever."""
    client, before = connect(), {task for task in asyncio.all_tasks() if ours(task)}
    subscription = await client.messages.subscribe_to_messages(session.id, str)
    await attempt(place, client.close())
    assert [message async for message in subscription] == []
    left = {task for task in asyncio.all_tasks() - before if ours(task)}
    assert not left or not (await asyncio.wait(left, timeout=5))[1]


async def test_leaving_the_loop_ends_the_subscription(network, connect, writer, session, user):
    """The iterator is garbage then."""
    await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    client = connect()
    async for _ in client.messages.stream(session.id, since_start=True):
        break
    await reach(client, State.DISCONNECTED)
    await network.until(lambda: not network.open_sockets)


async def test_leaving_the_block_ends_the_subscription(network, connect, writer, session, user):
    """By the end of `async with`."""
    await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    client = connect()
    async with client.messages.stream(session.id, since_start=True) as stream:
        await anext(stream)
    assert client.health().subscriptions == ()
    await network.until(lambda: not network.open_sockets)


async def test_closing_the_client_ends_every_iteration(network, connect, writer, session, user):
    """Fifty of them, each without an error and with what it had."""

    async def follow():
        return [message async for message in noting(client.messages.stream(session.id, since_start=True), begun)]

    sent = await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    client, begun = connect(), asyncio.Queue()
    iterations = [asyncio.create_task(follow()) for _ in range(50)]
    for _ in iterations:
        await asyncio.wait_for(begun.get(), 10)
    await client.close()
    assert await asyncio.wait_for(asyncio.gather(*iterations), 10) == [[sent]] * 50
    await network.until(lambda: not network.open_sockets)


async def noting(stream, begun):
    async for message in stream:
        begun.put_nowait(message)
        yield message


PROGRAM = """
import asyncio, logging, sys
from babelroom import Babelroom, Settings

async def main(url, key, session, ending):
    logging.getLogger("babelroom").setLevel(logging.ERROR)  # that the network is lost it says as a warning
    asyncio.get_running_loop().slow_callback_duration = 60
    quick = {"reconnect_delays": (0.05,), "heartbeat_interval": 0.3, "poll_interval": 0.1}
    client = Babelroom(Settings(supabase_url=url, supabase_key=key, **quick))
    await client.messages.subscribe_to_messages(session, str)
    stream = client.messages.stream(session, since_start=True)
    await anext(stream)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    if ending == "closed":
        await client.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def nothing():
    """Until the program goes on."""


async def program(network, stack, session, ending, *, meanwhile=nothing):
    """What it says on stderr; the coroutine function is called while it runs."""
    warnings = ["-W", "error", *([] if ending == "closed" else ["-W", "ignore::ResourceWarning"])]
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-X", "dev", *warnings, "-c", PROGRAM],
        *[network.url, stack.publishable_key, str(session.id), ending],
        stdin=PIPE, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    said = await asyncio.wait_for(process.stdout.readline(), 30)
    await meanwhile()
    _, words = await asyncio.wait_for(process.communicate(b"\n"), 30)
    assert (said, process.returncode) == (b"ready\n", 0), words.decode()
    return words.decode()


@asynccontextmanager
async def losing(network):
    """A coroutine function after which nobody answers, until the end of the block."""

    async def lose():
        await lost.enter_async_context(network.refusing())
        network.cut()
        await network.until(lambda: not network.open_sockets)

    async with AsyncExitStack() as lost:
        yield lose


@pytest.fixture
async def spoken(writer, session, user):
    """A message in the session, for the program to read."""
    return await writer.messages.create_message(session.id, user, "Hello", "en", "es")


COMPLAINTS = ("was destroyed", "never retrieved", "never awaited", "Exception ignored", "Error")


def complaints(words):
    """Those about tasks. That it was left open aiohttp's connector says by itself, in development mode."""
    return [complaint for complaint in COMPLAINTS if complaint in words]


@pytest.mark.usefixtures("spoken")
async def test_a_program_that_closes_its_client_ends_without_a_word(network, stack, session):
    """No task is destroyed, no exception is lost."""
    assert await program(network, stack, session, "closed") == ""


@pytest.mark.usefixtures("spoken")
async def test_a_program_that_closes_nothing_ends_without_complaint(network, stack, session):
    """Its loop simply ends."""
    assert complaints(await program(network, stack, session, "left open")) == []


@pytest.mark.usefixtures("spoken")
async def test_a_program_ends_without_a_word_on_a_lost_network(network, stack, session):
    """Nobody answers any more when it closes its client."""
    async with losing(network) as lose:
        assert await program(network, stack, session, "closed", meanwhile=lose) == ""


@pytest.mark.usefixtures("spoken")
async def test_a_program_that_closes_nothing_ends_on_a_lost_network(network, stack, session):
    """Its loop ends while the connection is tried again and again."""
    async with losing(network) as lose:
        assert complaints(await program(network, stack, session, "left open", meanwhile=lose)) == []
