"""Workers empty the queue while some of them are killed or walk away in the middle of their work."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from random import Random
from uuid import UUID

from psycopg import OperationalError
from psycopg.rows import DictRow

from tests.stress import journal
from tests.stress.checks import Failed, Tally, expect
from tests.stress.load import Load
from tests.stress.server import Connection, Server, rows
from tests.stress.tidying import attempt

WORKERS, SESSIONS = 8, 50
LEASE = timedelta(seconds=2)
# One session is hot: it has a fifth of all messages.
FILL = """
with made as (select (create_session()).id as session, n from generate_series(1, %s) n)
insert into messages (session_id, user_id, original, original_lang, target_lang)
select session, gen_random_uuid(), 'Hi', 'en', 'es' from made, generate_series(1, case n when 1 then %s else %s end)
"""
CLAIM = "select * from claim_messages(%s, %s, %s)"
COMPLETE = "select * from complete_message(%s, %s, 'Hola')"
IS_OPEN = "select exists (select from messages where translation is null) as open"
UNTIL_A_LEASE_ENDS = "select pg_sleep_until(min(leased_until)) from private.translation_jobs"
NOT_ONCE = """
select m.id, count(s.id) from messages m left join stress.states s on s.id = m.id and s.translation is not null
group by m.id having count(s.id) <> 1
"""
# The claims of a message one after the other, with the moment at which it was completed.
LEASES = """
select l.session_id, m.seq, l.id, l.claim, l.claimed_at, l.noted_at, l.leased_until,
       lag(l.leased_until) over (partition by l.id order by l.noted_at) as last_until,
       (select s.noted_at from stress.states s where s.id = l.id and s.translation is not null) as completed_at
from stress.leases l join messages m on m.id = l.id
order by l.noted_at
"""
STALE = "PT409"
KILLED = ("57P01", "none")  # by an administrator; none: the connection was gone before Postgres could say so


@dataclass
class Crew:
    """The workers, which of the server's processes each is talking to, and what they have done."""

    server: Server
    rng: Random
    tally: Tally = field(default_factory=Tally)
    processes: dict[int, int] = field(default_factory=dict)
    completed: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)

    async def work(self, number: int) -> None:
        """Live again and again until nothing is open; each life ends by the killer's hand or the worker's own."""
        while (await self.server.execute(IS_OPEN))[0]["open"]:
            try:
                async with await self.server.connect("service_role") as connection:
                    self.processes[number] = connection.info.backend_pid
                    await self.live(connection, f"worker {number}")
            except OperationalError as error:
                self.tally.count("lives", error)

    async def live(self, connection: Connection, name: str) -> None:
        while True:
            batch = await rows(connection, CLAIM, name, self.rng.randint(1, 20), LEASE)
            self.tally.count("claims")
            for message in batch:
                if self.rng.random() < 0.01:
                    self.tally["lives", "walked away"] += 1
                    return
                await self.complete(connection, message)
            if not batch:
                if not (await rows(connection, IS_OPEN))[0]["open"]:
                    return
                await rows(connection, UNTIL_A_LEASE_ENDS)

    async def complete(self, connection: Connection, message: DictRow) -> None:
        if await attempt(connection, self.tally, "completions", COMPLETE, message["id"], message["token"]):
            self.completed.put_nowait(True)
        elif connection.broken:
            raise OperationalError("killed while it completed a message")

    async def kill(self) -> None:
        """Kill a random worker's connection after every 50 to 150 completed messages, whatever it is doing."""
        async with await self.server.connect() as connection:
            while True:
                for _ in range(self.rng.randint(50, 150)):
                    await self.completed.get()
                await rows(connection, "select pg_terminate_backend(%s)", self.rng.choice([*self.processes.values()]))


async def run(server: Server, rng: Random, load: Load) -> str:
    """Each message is completed once, none waits longer than a lease after its own ran out, the oldest come first."""
    await journal.install(server)
    hot = load.messages // 5
    await server.execute(FILL, SESSIONS, hot, (load.messages - hot) // (SESSIONS - 1))
    crew = Crew(server, rng)
    async with asyncio.TaskGroup() as tasks:
        killer = tasks.create_task(crew.kill())
        async with asyncio.TaskGroup() as workers:
            for number in range(WORKERS):
                workers.create_task(crew.work(number))
        killer.cancel()
    crew.tally.allow("lives", *crew.tally.states("lives"))
    crew.tally.allow("completions", STALE, *KILLED)
    crew.tally.expect_clean()
    expect("messages not completed once", await server.execute(NOT_ONCE), [])
    leases = await server.execute(LEASES)
    late = max((lease["claimed_at"] - lease["last_until"] for lease in leases if lease["last_until"]), default=LEASE)
    if late > LEASE:
        raise Failed(f"a message whose lease had run out: expected to be claimed within {LEASE}, came after {late}")
    expect("claims that left an older open message behind", list(left_behind(leases)), [])
    messages = len({lease["id"] for lease in leases})
    lives = {state: number for (kind, state), number in crew.tally.items() if kind == "lives"}
    again = len(leases) - messages
    return f"{messages} messages, each completed once, {again} claimed again, at most {late} late; lives ended {lives}"


def left_behind(leases: list[DictRow]) -> Iterator[tuple[UUID, UUID]]:
    """Each message that was open when a later one of its session was claimed, with that claim's session."""
    sessions: dict[UUID, dict[UUID, list[DictRow]]] = defaultdict(lambda: defaultdict(list))
    for lease in leases:
        sessions[lease["session_id"]][lease["id"]].append(lease)
    by_claim = itemgetter("session_id", "claim")
    for (session, _), group in groupby(sorted(leases, key=by_claim), by_claim):
        claim = list(group)
        last, ids = max(lease["seq"] for lease in claim), {lease["id"] for lease in claim}
        for id_, own in sessions[session].items():
            if own[0]["seq"] < last and id_ not in ids and was_open(own, claim[0]):
                yield id_, session


def was_open(leases: list[DictRow], claim: DictRow) -> bool:
    """Whether that claim could have had the message: neither completed nor leased, give or take a moment."""
    before = [lease for lease in leases if lease["noted_at"] < claim["noted_at"]]
    if not before:
        return True
    # A lease ends by the clock at the start of the claim's transaction.
    ended = before[-1]["leased_until"] < claim["claimed_at"] - timedelta(milliseconds=100)
    return ended and leases[0]["completed_at"] > claim["noted_at"]
