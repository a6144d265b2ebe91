"""Five subscribers whose link is cut and whose events are lost, doubled and reordered get each message's last state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import Any
from uuid import UUID, uuid4

from babelroom import Babelroom, Message, ReadyMessage, Settings
from tests.stress import local
from tests.stress.checks import Failed, expect
from tests.stress.load import Load
from tests.stress.server import Server
from tests.support import faults, frames

SUBSCRIBERS, WRITERS = 5, 4
CUT_EVERY = 2.0
LOSSES = {"drop": 0.05, "duplicate": 0.1, "reorder": 0.1}
DEADLINE = 60.0  # of a writer's call: it outlives a restart
SETTLE = 60.0  # seconds until what was written last counts as missed
PAGE = 1_000

Trouble = Callable[[], Awaitable[None]]


class Log:
    """What one subscription was told, without the texts."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.last: dict[UUID, Message] = {}
        self._news = asyncio.Event()

    def note(self, message: Message) -> None:
        self.told.append(message.rev)
        self.last[message.id] = message
        self._news.set()

    def note_ready(self, message: ReadyMessage) -> None:
        self.told.append((message.seq, message.is_late))
        self._news.set()

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                while not holds():
                    self._news.clear()
                    await self._news.wait()
                return
        raise Failed(f"{what}: expected within {SETTLE:.0f} s, came {len(self.told)}, the last one {self.told[-1:]}")


class Writing:
    """The writers of one session, and how far they are."""

    def __init__(self, client: Babelroom, session: UUID, messages: int) -> None:
        self._client, self.session, self._each = client, session, messages // WRITERS
        self.done = 0
        self.is_halfway = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as writers:
            for number in range(WRITERS):
                writers.create_task(self._write(number))

    async def _write(self, number: int) -> None:
        user = uuid4()
        for count in range(self._each):
            message = await self._client.messages.create_message(self.session, user, f"{number}: {count}", "en", "es")
            await self._client.messages.update_message_translation(message.id, f"{count}")
            await self._client.messages.mark_message_displayed(message.id)
            self.done += 1
            if self.done * 2 >= self._each * WRITERS:
                self.is_halfway.set()

    async def stands(self) -> list[Message]:
        """The table's rows."""
        rows: list[Message] = []
        while True:
            page = await self._client.messages.get_session_messages(
                self.session, PAGE, after=rows[-1].seq if rows else None
            )
            rows += page
            if len(page) < PAGE:
                return rows


async def run(server: Server, rng: Random, load: Load) -> str:
    """No state is told twice or goes back; conversation order holds; nothing is left."""
    del server  # the stack brings its own
    async with local.started("--memory") as stack:
        return await converse(stack, rng, load.streamed)


async def converse(stack: local.Local, rng: Random, messages: int, trouble: Trouble | None = None) -> str:
    """Write so many messages and check what subscribers get; the trouble comes when half of them are written."""
    before = asyncio.all_tasks()
    async with AsyncExitStack() as opened:
        network = await opened.enter_async_context(faults.proxy(stack.url))
        network.frames = frames.unreliable(rng.randrange(10**6), **LOSSES)
        writer = await opened.enter_async_context(_client(stack.url, stack.key))
        clients = [await opened.enter_async_context(_client(network.url, stack.key)) for _ in range(SUBSCRIBERS)]
        writing = Writing(writer, (await writer.sessions.create_session()).id, messages)
        summary = await _follow(network, clients, writing, trouble)
        for client in clients:
            await client.close()
        await network.until(lambda: not network.open_sockets)
    await asyncio.sleep(0)  # tasks that have ended are forgotten in the next round of the loop
    expect("tasks that are left", [repr(task) for task in asyncio.all_tasks() - before], [])
    return summary


def _client(url: str, key: str) -> Babelroom:
    return Babelroom(Settings(supabase_url=url, supabase_key=key, deadline=DEADLINE))


async def _follow(
    network: faults.FaultProxy, clients: list[Babelroom], writing: Writing, trouble: Trouble | None
) -> str:
    logs, ready = [Log() for _ in clients], Log()
    for client, log in zip(clients, logs, strict=True):
        await client.messages.subscribe_to_messages(writing.session, log.note)
    await clients[0].messages.subscribe_to_messages(writing.session, ready.note_ready, ready_only=True)
    cutting = asyncio.create_task(_cut(network))
    try:
        begun = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writing.run())
            if trouble is not None:
                tasks.create_task(_at_half(writing, trouble))
        written = time.monotonic()
        rows = await writing.stands()
        expect("messages written", len(rows), writing.done)
        last = max(row.rev for row in rows)
        for number, log in enumerate(logs):
            await log.until(f"the last state at subscriber {number}", lambda log=log: log.told[-1:] == [last])
        await ready.until("every message at the ready_only subscriber", lambda: len(ready.told) >= len(rows))
        settled = time.monotonic()
    finally:
        cutting.cancel()
        await asyncio.wait([cutting])
    health = [client.health() for client in clients]
    for log in logs:
        expect("revs, each once, rising", log.told, sorted(set(log.told)))
        expect("messages whose last state differs", _differing(log.last, rows), [])
    in_turn = [seq for seq, is_late in ready.told if not is_late]
    expect("messages in conversation order", in_turn, sorted(in_turn))
    expect("messages that came once", sorted(seq for seq, _ in ready.told), [row.seq for row in rows])
    expect("restarted tasks", [each.restarts for each in health], [0] * len(health))
    late = len(rows) - len(in_turn)
    return (
        f"{len(rows)} messages in {written - begun:.0f} s, settled {settled - written:.1f} s later; "
        f"{'/'.join(str(len(log.told)) for log in logs)} of {last} states told, none missed; {late} late; "
        f"{sum(each.reconnects for each in health)} reconnects, "
        f"{sum(each.gaps_repaired for each in health)} gaps repaired"
    )


async def _cut(network: faults.FaultProxy) -> None:
    while True:
        await asyncio.sleep(CUT_EVERY)
        network.cut()
        for socket in network.sockets:
            socket.frames.clear()  # or each frame of the run would stay in memory


async def _at_half(writing: Writing, trouble: Trouble) -> None:
    await writing.is_halfway.wait()
    await trouble()


def _differing(last: dict[UUID, Message], rows: list[Message]) -> list[int]:
    return [row.seq for row in rows if last.get(row.id) != row]
