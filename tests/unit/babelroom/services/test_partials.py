"""PartialSender, against a real HTTP server on loopback that is slow, silent or refuses on request."""

import asyncio
import logging
import time

import pytest
from aiohttp import web
from support.messages import SESSION, state

from babelroom import Settings, deadline
from babelroom.repositories._gateway import Gateway
from babelroom.repositories.partials import PartialRepository
from babelroom.services.partials import PartialSender

MESSAGE = state(1)
WITHIN = 10


class Realtime:
    """Takes broadcasts, and answers while `answers` is set."""

    def __init__(self):
        self.status = 202
        self.answers = asyncio.Event()
        self.answers.set()
        self.requests = []
        self.begun = []  # when they came
        self.cut = 0  # clients that did not wait for the answer
        self._news = asyncio.Event()

    @property
    def partials(self):
        return [request["messages"][0]["payload"] for request in self.requests]

    @property
    def texts(self):
        return [partial["text"] for partial in self.partials]

    async def take(self, request):
        self.requests.append(await request.json())
        self.begun.append(time.monotonic())
        self._news.set()
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.cut += 1
            self._news.set()
            raise
        return web.Response(status=self.status)

    async def until(self, holds):
        async with asyncio.timeout(WITHIN):
            while not holds():
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def realtime():
    served = Realtime()
    application = web.Application()
    application.router.add_post("/realtime/v1/api/broadcast", served.take)
    runner = web.AppRunner(application, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    served.answers.set()
    await runner.cleanup()


@pytest.fixture
async def gateway(realtime):
    opened = Gateway(Settings.load(url=realtime.url, key="sb_publishable_x"))
    yield opened
    await opened.close()


@pytest.fixture
async def make(gateway):
    """Makes senders, which are closed at the end."""
    made = []

    def sender(per_second=1_000):
        made.append(PartialSender(PartialRepository(gateway), MESSAGE, per_second=per_second))
        return made[-1]

    yield sender
    for each in made:
        await each.close()


def running():
    return {task for task in asyncio.all_tasks() if task.get_name() == "babelroom partials"}


async def test_a_partial_says_whose_and_how_much(realtime, make):
    """To the session's topic, which is public."""
    make().grow("Ho")
    await realtime.until(lambda: realtime.requests)
    assert realtime.requests == [
        {
            "messages": [
                {
                    "topic": f"partials-{SESSION}",
                    "event": "partial",
                    "private": False,
                    "payload": {
                        "message_id": str(MESSAGE.id), "user_id": str(MESSAGE.user_id), "number": 1, "text": "Ho",
                        "source": "en", "target": "es",
                    },
                }
            ]
        }
    ]  # fmt: skip


async def test_the_first_is_sent_at_once(realtime, make):
    """Whatever the pause between them, which is a minute here."""
    make(per_second=1 / 60).grow("Ho")
    await realtime.until(lambda: realtime.requests)


async def test_each_is_the_whole_text_so_far(realtime, make):
    """Numbered from 1."""
    sender = make()
    for count, delta in enumerate(["Ho", "la", ", Ana"], 1):
        sender.grow(delta)
        await realtime.until(lambda count=count: len(realtime.requests) == count)
    assert [(each["number"], each["text"]) for each in realtime.partials] == [(1, "Ho"), (2, "Hola"), (3, "Hola, Ana")]


async def test_the_latest_wins_while_one_is_under_way(realtime, make):
    """One at a time: what grows meanwhile goes in the next."""
    realtime.answers.clear()
    sender = make()
    sender.grow("Ho")
    await realtime.until(lambda: realtime.requests)
    for delta in ("la", ",", " Ana"):
        sender.grow(delta)
        await asyncio.sleep(0)
    assert realtime.texts == ["Ho"]
    realtime.answers.set()
    await realtime.until(lambda: len(realtime.requests) == 2)
    assert realtime.texts == ["Ho", "Hola, Ana"]


async def test_so_many_a_second_are_sent_at_most(realtime, make):
    """However often the text grows: the sixth comes no earlier than five pauses after the beginning."""
    sender, begun = make(per_second=20), time.monotonic()
    async with asyncio.timeout(WITHIN):
        while len(realtime.requests) < 6:
            sender.grow("x")
            await asyncio.sleep(0.005)
    assert realtime.begun[5] - begun >= 5 / 20


async def test_nothing_is_sent_of_what_does_not_grow(realtime, make):
    """No delta, an empty one, and blanks, which no reader would take."""
    async with make() as sender:
        pass
    sender = make()
    sender.grow("")
    assert not running()
    sender.grow(" \n")
    await asyncio.sleep(0)
    sender.grow("Ho")
    await realtime.until(lambda: realtime.requests)
    assert [(each["number"], each["text"]) for each in realtime.partials] == [(1, " \nHo")]


async def test_half_a_character_waits_for_its_other_half(realtime, make):
    """As a provider may cut its deltas anywhere: it is passed over, and another message's comes."""
    make().grow("Hola \ud83d")
    make().grow("Hi")
    await realtime.until(lambda: realtime.requests)
    assert realtime.texts == ["Hi"]


async def test_a_text_that_is_too_long_is_not_sent(realtime, make):
    """No reader would take it, nor the table."""
    make().grow("x" * 40_001)
    make().grow("x" * 40_000)
    await realtime.until(lambda: realtime.requests)
    assert [len(text) for text in realtime.texts] == [40_000]


async def test_closing_waits_for_what_is_under_way(realtime, make):
    """So that it does not come after the final row; what grew meanwhile is not sent."""
    realtime.answers.clear()
    sender = make()
    sender.grow("Ho")
    await realtime.until(lambda: realtime.requests)
    sender.grow("la")
    closing = asyncio.create_task(sender.close())
    await asyncio.sleep(0)
    assert not closing.done()
    realtime.answers.set()
    await asyncio.wait_for(closing, WITHIN)
    assert (realtime.texts, realtime.cut, running()) == (["Ho"], 0, set())


async def test_closing_does_not_wait_for_long(realtime, make):
    """What is then still under way is cut."""
    realtime.answers.clear()
    sender = make()
    sender.grow("Ho")
    await realtime.until(lambda: realtime.requests)
    await asyncio.wait_for(sender.close(), WITHIN)
    await realtime.until(lambda: realtime.cut)
    assert running() == set()


async def test_closing_between_two_does_not_wait(realtime, make):
    """Nor does a pause of a minute, and nothing is sent any more."""
    sender = make(per_second=1 / 60)
    sender.grow("Ho")
    await realtime.until(lambda: realtime.requests)
    await asyncio.wait_for(sender.close(), WITHIN)
    await sender.close()
    sender.grow("la")
    assert (realtime.texts, running()) == (["Ho"], set())


async def test_closing_before_the_first_is_under_way_sends_nothing(realtime, make):
    """The translation came in one piece."""
    async with make() as sender:
        sender.grow("Hola")
    assert (realtime.requests, running()) == ([], set())


async def test_a_cancelled_translation_leaves_no_task(realtime, make):
    """Also where it is cancelled while it closes."""
    realtime.answers.clear()

    async def translate():
        async with make() as sender:
            sender.grow("Ho")
            await asyncio.Event().wait()

    translating = asyncio.create_task(translate())
    await realtime.until(lambda: realtime.requests)
    translating.cancel()
    await asyncio.sleep(0)
    translating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await translating
    assert running() == set()


async def test_a_refusal_is_logged_once_and_disturbs_nothing(realtime, make, caplog):
    """The next ones are sent as if nothing had been."""
    realtime.status = 503
    sender = make()
    with caplog.at_level(logging.WARNING, "babelroom"):
        for count, delta in enumerate("Hola", 1):
            sender.grow(delta)
            await realtime.until(lambda count=count: len(realtime.requests) == count)
        await sender.close()
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        f"A partial translation of message {MESSAGE.id} was not sent"
    ]
    assert realtime.texts == ["H", "Ho", "Hol", "Hola"]


async def test_a_client_that_was_closed_disturbs_nothing(realtime, gateway, make, caplog):
    """As at the end of a program."""
    await gateway.close()
    sender = make()
    sender.grow("Ho")
    async with asyncio.timeout(WITHIN):
        while "was not sent: This client is closed" not in caplog.text:  # noqa: ASYNC110  a log tells nobody
            await asyncio.sleep(0.001)
    assert not realtime.requests


async def test_one_that_is_not_answered_is_given_up_after_a_second(realtime, gateway, make):
    """Late is worthless; the next one goes its way."""
    realtime.answers.clear()
    sender = make()
    sender.grow("Ho")
    await realtime.until(lambda: realtime.requests)
    sender.grow("la")
    await realtime.until(lambda: len(realtime.requests) == 2)
    timing = gateway.timings.summary()["partials.send"]
    assert (timing.calls, timing.failures, timing.retries) == (1, 1, 0)
    assert 900 < timing.max < 5_000
    assert realtime.texts == ["Ho", "Hola"]


async def test_the_deadline_of_whoever_translates_is_not_its_own(realtime, make):
    """It outlives the call that the first delta came in."""
    sender = make()
    with deadline(0.000_001):
        sender.grow("Ho")
    await realtime.until(lambda: realtime.requests)
