"""Many write into the same sessions in every way there is, one message at a time and in bulk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from uuid import UUID, uuid4

from psycopg import Error

from tests.stress import journal
from tests.stress.checks import DEADLOCK, Tally, expect
from tests.stress.load import Load
from tests.stress.reader import Reader, reading
from tests.stress.server import Connection, Server, rows
from tests.stress.tidying import tidying
from tests.stress.workers import working

SINGLE, BULK, SESSIONS, ROWS = 32, 16, 20, 20
COLUMNS = "id, session_id, user_id, original, original_lang, target_lang"
# As PostgREST writes upserts.
MERGE = f"on conflict (id) do update set {', '.join(f'{name} = excluded.{name}' for name in COLUMNS.split(', '))}"
IGNORE = "on conflict (id) do nothing"
INSERT = f"""
insert into messages ({COLUMNS})
select id, session, gen_random_uuid(), %s, 'en', 'es' from unnest(%s::uuid[], %s::uuid[]) as _ (id, session)
"""
SEND = "select * from send_message(%s, %s, %s, %s, 'en', 'es')"
TRANSLATE = "update messages set status = 'processing', translation = %s where id = any(%s)"
DISPLAY = "update messages set status = 'displayed' where id = any(%s) and status <> 'displayed'"
UNDONE = "select original, translation from messages where original = any(%s) or translation = any(%s)"
CONFLICT = "PT409"  # a message contradicted, or an illegal move of status
RECENT = 200


@dataclass
class Known:
    """What a group of writers has sent, so that they send and change each other's messages again."""

    sessions: list[UUID]
    sent: dict[UUID, tuple[UUID, UUID, str]] = field(default_factory=dict)  # session, user, text
    put: dict[UUID, UUID] = field(default_factory=dict)  # session; by raw statements, which may change the text
    confirmed: list[UUID] = field(default_factory=list)


@dataclass
class Writer:
    """One connection that writes at random, raw statements `rows` messages at a time."""

    connection: Connection
    rng: Random
    tally: Tally
    known: Known
    rows: int = 1
    undone: list[str] = field(default_factory=list)
    number: Iterator[int] = field(default_factory=count)

    async def write(self, until: float) -> None:
        functions = [self.send, self.resend, self.contradict]
        statements = [self.insert, self.merge, self.ignore, self.translate, self.display]
        while time.monotonic() < until:
            await self.rng.choice(self.rng.choice([functions, statements]))()

    async def send(self) -> None:
        message, session, user, text = uuid4(), self.rng.choice(self.known.sessions), uuid4(), self.text()
        # Known before it arrives, so that others resend it while it is on its way.
        self.known.sent[message] = (session, user, text)
        if await self.run("send_message", SEND, message, session, user, text):
            self.known.confirmed.append(message)

    async def resend(self) -> None:
        for message in self.some(self.known.sent, 1):
            await self.run("resends", SEND, message, *self.known.sent[message])

    async def contradict(self) -> None:
        for message in self.some(self.known.confirmed, 1):
            session, user, _ = self.known.sent[message]
            await self.run("contradictions", SEND, message, session, user, "something else")

    async def insert(self) -> None:
        await self.put("inserts", "", [], self.rows)

    async def merge(self) -> None:
        await self.put("merging upserts", MERGE, self.some(self.known.put, self.half), self.rows // 2)

    async def ignore(self) -> None:
        await self.put("ignoring upserts", IGNORE, self.some(self.known.put, self.half), self.rows // 2)

    async def translate(self) -> None:
        text = self.text()
        await self.run("updates", TRANSLATE, text, self.some([*self.known.sent, *self.known.put], self.half), text=text)

    async def display(self) -> None:
        await self.run("updates", DISPLAY, self.some([*self.known.sent, *self.known.put], self.half))

    async def put(self, kind: str, conflict: str, known: list[UUID], new: int) -> None:
        text = self.text()
        messages = {message: self.known.put[message] for message in known}
        messages |= {uuid4(): self.rng.choice(self.known.sessions) for _ in range(new)}
        if conflict:  # others may be quicker to put the same messages there
            self.known.put |= messages
        await self.run(kind, INSERT + conflict, text, [*messages], [*messages.values()], text=text)
        self.known.put |= messages

    async def run(self, kind: str, statement: str, *values: object, text: str | None = None) -> bool:
        try:
            await rows(self.connection, statement, *values)
        except Error as error:
            self.tally.count(kind, error)
            if text is not None:
                self.undone.append(text)
            return False
        self.tally.count(kind)
        return True

    @property
    def half(self) -> int:
        return max(self.rows // 2, 1)

    def some(self, messages: Iterable[UUID], number: int) -> list[UUID]:
        """Some of the latest of these."""
        recent = list(messages)[-RECENT:]
        return self.rng.sample(recent, min(number, len(recent)))

    def text(self) -> str:
        """A text that no other statement writes."""
        return f"{id(self)} {next(self.number)}"


async def run(server: Server, rng: Random, load: Load) -> str:
    """32 writers on one session, 16 in bulk on 20 others: no function deadlocks, revs rise, readers miss nothing."""
    await journal.install(server)
    tally = Tally()
    async with server.connections(SINGLE + BULK + 2, "anon") as connections:
        made = [(await rows(connections[0], "select * from create_session()"))[0]["id"] for _ in range(SESSIONS + 1)]
        one, many = Known(made[:1]), Known(made[1:])
        writers = [Writer(connection, rng, tally, one) for connection in connections[:SINGLE]]
        writers += [Writer(connection, rng, tally, many, ROWS) for connection in connections[SINGLE:-2]]
        readers = [Reader(connections[-1], one.sessions), Reader(connections[-2], many.sessions)]
        until = time.monotonic() + load.seconds / 3
        async with (
            tidying(server, rng, tally),
            working(server, rng, tally),
            reading(readers),
            asyncio.TaskGroup() as tasks,
        ):
            for writer in writers:
                tasks.create_task(writer.write(until))
        for reader in readers:
            await reader.expect_nothing_missed(server)
    expect("contradictions that were accepted", tally["contradictions", "ok"], 0)
    tally.allow("contradictions", CONFLICT)
    for name in ("inserts", "merging upserts", "ignoring upserts"):
        tally.allow(name, DEADLOCK)
    tally.allow("updates", DEADLOCK, CONFLICT)
    tally.expect_clean()
    undone = [text for writer in writers for text in writer.undone]
    expect("rows left by statements that were undone", await server.execute(UNDONE, undone, undone), [])
    states = await journal.expect_true(server, one.sessions[0])
    deadlocks = tally.met(DEADLOCK)
    return f"{states} states; of raw statements {deadlocks} met a deadlock and {len(undone)} were undone whole; {tally}"
