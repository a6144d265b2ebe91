"""The clean-up at work beside everything else: sessions end and are deleted while people still write to them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID, uuid4

from psycopg import Error

from tests.stress.checks import Tally
from tests.stress.server import Connection, Server, rows

IMPATIENT = "update private.settings set session_retention = interval '0'"
# Nobody waits for 30 seconds here: triggers are off, so that the sign of life looks old.
AGE = "update session_participants set last_seen = now() - interval '1 hour' where session_id = %s and user_id = %s"
CLEANUPS = ("cleanup_expired_sessions", "delete_closed_sessions", "cleanup_activity", "cleanup_participants")
ENDS = {
    "close_session": "select close_session(%s)",
    "expiries": "update sessions set expires_at = clock_timestamp() where id = %s",
}
WRITES = {
    "late send_message": "select send_message(gen_random_uuid(), %(session)s, %(user)s, 'Hi', 'en', 'es')",
    "late updates": "update messages set status = 'displayed' where session_id = %(session)s and status <> 'displayed'",
    "late touch_participant": "select touch_participant(%(session)s, %(user)s)",
    "late leave_session": "select leave_session(%(session)s, %(user)s)",
    "late activity": (
        "insert into user_activity (session_id, user_id, activity_type) values (%(session)s, %(user)s, 'typing') "
        "on conflict (session_id, user_id) do update set activity_type = excluded.activity_type"
    ),
}
# The session is over; 23503: it was deleted between the check and the end of the statement.
OVER = ("PT404", "PT410", "23503")
PEOPLE = [uuid4() for _ in range(3)]


@asynccontextmanager
async def tidying(server: Server, rng: Random, tally: Tally) -> AsyncIterator[None]:
    """Tidy until the end of the block. No clean-up may fail; late writers hear only that the session is over."""
    await server.execute(IMPATIENT)
    done = asyncio.Event()
    dying: deque[UUID] = deque(maxlen=4)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(end_sessions(server, rng, dying, tally, done))
        tasks.create_task(write_late(server, rng, dying, tally, done))
        for _ in range(2):
            tasks.create_task(clean_up(server, rng, tally, done))
        try:
            yield
        finally:
            done.set()
    for name in WRITES:
        tally.allow(name, *OVER)


async def clean_up(server: Server, rng: Random, tally: Tally, done: asyncio.Event) -> None:
    async with await server.connect("postgres") as connection:
        while not done.is_set():
            name = rng.choice(CLEANUPS)
            await attempt(connection, tally, name, f"select {name}()")


async def end_sessions(server: Server, rng: Random, dying: deque[UUID], tally: Tally, done: asyncio.Event) -> None:
    async with await server.connect("postgres") as connection, await server.connect() as aging:
        await aging.execute("set session_replication_role = replica")
        while not done.is_set():
            created = await attempt(connection, tally, "create_session", "select * from create_session()")
            for session in created:
                for user in PEOPLE:
                    await attempt(
                        connection, tally, "join_session", "select join_session(%s, %s, 'en')", session["code"], user
                    )
                dying.append(session["id"])
                await rows(aging, AGE, session["id"], rng.choice(PEOPLE))
                name = rng.choice(list(ENDS))
                await attempt(connection, tally, name, ENDS[name], session["id"])


async def write_late(server: Server, rng: Random, dying: deque[UUID], tally: Tally, done: asyncio.Event) -> None:
    async with await server.connect("anon") as connection:
        while not done.is_set():
            if not dying:
                await asyncio.sleep(0)
                continue
            name = rng.choice(list(WRITES))
            await attempt(connection, tally, name, WRITES[name], session=rng.choice(dying), user=rng.choice(PEOPLE))


async def attempt(
    connection: Connection, tally: Tally, name: str, statement: str, *values: object, **named: object
) -> list[dict]:
    """Run and count one statement; an error leaves no rows."""
    try:
        cursor = await connection.execute(statement, named or values)
        found = await cursor.fetchall() if cursor.description else []
    except Error as error:
        tally.count(name, error)
        return []
    tally.count(name)
    return found
