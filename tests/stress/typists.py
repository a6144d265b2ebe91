"""Clients say again and again what their users are doing, while activity grows stale beneath them."""

from __future__ import annotations

import asyncio
import time
from random import Random
from uuid import UUID, uuid4

from psycopg import Error

from tests.stress.checks import Tally, expect
from tests.stress.load import Load
from tests.stress.server import Connection, Server, rows
from tests.stress.tidying import tidying

CLIENTS, SESSIONS, USERS = 64, 16, 3  # fewer users than clients a session: two tabs write one row
KINDS = ("typing", "recording", "processing", "idle")
# As PostgREST writes an upsert.
UPSERT = """
insert into user_activity (session_id, user_id, activity_type) values (%s, %s, %s)
on conflict (session_id, user_id) do update
set session_id = excluded.session_id, user_id = excluded.user_id, activity_type = excluded.activity_type
returning *
"""
AGE = """
update user_activity set updated_at = now() - interval '1 minute'
where id = (select id from user_activity order by random() limit 1)
"""

Rooms = dict[UUID, list[UUID]]


async def run(server: Server, rng: Random, load: Load) -> str:
    """No upsert of 64 clients in 16 sessions fails, nor does the clean-up beside them, and the last word counts."""
    tally = Tally()
    async with server.connections(CLIENTS, "anon") as connections:
        rooms: Rooms = {}
        for _ in range(SESSIONS):
            session = (await rows(connections[0], "select * from create_session()"))[0]
            rooms[session["id"]] = [uuid4() for _ in range(USERS)]
        until = time.monotonic() + load.seconds
        async with tidying(server, rng, tally), asyncio.TaskGroup() as clients:
            clients.create_task(age(server, until))
            for number, connection in enumerate(connections):
                session = list(rooms)[number % SESSIONS]
                clients.create_task(write(connection, session, rooms[session], rng, until, tally))
        tally.expect_clean()
        for session, users in rooms.items():
            for user in users:
                await rows(connections[0], UPSERT, session, user, "typing")
            current = await rows(connections[0], "select * from get_session_activities(%s)", session)
            expect("who is typing", {row["user_id"] for row in current}, set(users))
    return f"{tally['upserts', 'ok']} upserts by {CLIENTS} clients in {SESSIONS} sessions; beside them {tally}"


async def write(
    connection: Connection, session: UUID, users: list[UUID], rng: Random, until: float, tally: Tally
) -> None:
    while time.monotonic() < until:
        try:
            await rows(connection, UPSERT, session, rng.choice(users), rng.choice(KINDS))
        except Error as error:
            tally.count("upserts", error)
        else:
            tally.count("upserts")


async def age(server: Server, until: float) -> None:
    """Make rows stale that nobody would have left for 5 seconds."""
    async with await server.connect() as connection:
        await connection.execute("set session_replication_role = replica")
        while time.monotonic() < until:
            await connection.execute(AGE)
