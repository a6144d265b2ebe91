"""Workers of the tests' own, on the shared stack, with a translator that does as it is told."""

import asyncio
from collections import Counter

import pytest
from support import faults, rows

from babelroom import MessageInsert, Settings, Translation, TranslationFailed, TranslationWorker, TranslatorUnavailable
from babelroom.models import Usage

SECONDS = 20.0


class Translator:
    """Marks each text, and notes it. What is held waits until it is let go."""

    name = "a test's"

    def __init__(self):
        self.begun = []
        self.contexts = []
        self.ended = []
        self.cancelled = []
        self.at_once = 0  # at most
        self.gates = {}
        self.poison = set()
        self.unavailable = 0  # how many requests are still to meet it
        self.mark = "<{}>".format
        self._news = asyncio.Condition()

    def hold(self, *texts):
        self.gates.update({text: asyncio.Event() for text in texts})

    def let_go(self, *texts):
        for text in texts or list(self.gates):
            self.gates.pop(text).set()

    async def until_begun(self, count=1):
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(lambda: len(self.begun) >= count)

    async def until_cancelled(self):
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(lambda: self.cancelled)

    async def translate(self, request, on_delta):
        del on_delta
        self.contexts.append(request.context)
        await self._note(self.begun, request.text)
        self.at_once = max(self.at_once, len(self.begun) - len(self.ended) - len(self.cancelled))
        try:
            if gate := self.gates.get(request.text):
                await gate.wait()
            else:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            await self._note(self.cancelled, request.text)
            raise
        await self._note(self.ended, request.text)
        if self.unavailable > 0:
            self.unavailable -= 1
            raise TranslatorUnavailable("The key is wrong.")
        if request.text in self.poison:
            raise TranslationFailed("That cannot be said.")
        return Translation(
            text=self.mark(request.text),
            source=request.source,
            target=request.target,
            provider=self.name,
            usage=Usage(model="m", input_tokens=7, output_tokens=3),
        )

    async def _note(self, where, text):
        where.append(text)
        async with self._news:
            self._news.notify_all()


@pytest.fixture
def translator():
    return Translator()


@pytest.fixture
def settings(supabase):
    """Those of an operator: a public key too, which the worker leaves alone. Polls do not help before the end."""
    stack = supabase.stack
    return Settings.load(
        url=stack.url, key=stack.publishable_key, supabase_secret_key=stack.secret_key, poll_interval=600.0
    )


@pytest.fixture
async def network(supabase):
    """What is between the worker of `far` and the stack."""
    async with faults.proxy(supabase.stack.url) as made:
        yield made


@pytest.fixture
def far(settings, network):
    """The same settings, through the network."""
    return settings.model_copy(update={"supabase_url": network.url, "deadline": 1.0})


@pytest.fixture
def worker(settings, translator):
    return TranslationWorker(settings, concurrency=4, translator=translator)


@pytest.fixture
async def running():
    """Runs workers beside the test; each is stopped at its end, and must end in order."""
    tasks = []

    def run(worker):
        tasks.append((worker, asyncio.create_task(worker.run())))
        return tasks[-1][1]

    yield run
    for worker, task in tasks:
        worker.stop()
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def say(room, user):
    """Sends these texts into a session and returns the messages."""

    async def say(session, *texts):
        batch = [
            MessageInsert(session_id=session.id, user_id=user, original=text, original_lang="en", target_lang="es")
            for text in texts
        ]
        return await room.messages.create_messages(batch)

    return say


@pytest.fixture
def statuses(database):
    """How many messages are in which state; one that is translated counts as that."""

    def statuses():
        query = "select case when translation is null then status else 'translated' end from messages"
        return Counter(rows.column(database, query))

    return statuses


@pytest.fixture
def until(database):
    """Waits until the database says so."""

    async def until(condition, *values):
        async with asyncio.timeout(SECONDS):
            while not rows.value(database, f"select {condition}", *values):  # noqa: ASYNC110  rows tell nobody
                await asyncio.sleep(0.02)

    return until
