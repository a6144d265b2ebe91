"""People join and leave from many connections at once, and the session counts them exactly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from uuid import UUID, uuid4

from tests.stress.checks import expect
from tests.stress.load import Load
from tests.stress.server import Connection, Server, rows, share

CONNECTIONS = 50
JOIN = "select * from join_session(%s, %s, %s)"
LEAVE = "select * from leave_session(%s, %s)"
LANGUAGES = ("en", "es", "pt-BR")


async def run(server: Server, rng: Random, load: Load) -> str:
    """1,000 joins count exactly 1,000; joining again changes nothing; joins and leaves end at the right number."""
    users = [uuid4() for _ in range(load.participants)]
    async with server.connections(CONNECTIONS, "anon") as connections:
        session = (await rows(connections[0], "select * from create_session()"))[0]
        await share([join(session["code"], user, rng) for user in users], connections)
        expect("user_count after the joins", await counted(server, session["id"]), (len(users), len(users)))

        before = await joined(server, session["id"])
        await share([join(session["code"], user, rng) for user in rng.choices(users, k=len(users))], connections)
        expect("user_count after joining again", await counted(server, session["id"]), (len(users), len(users)))
        expect("joined_at after joining again", await joined(server, session["id"]), before)

        walks = {user: [rng.random() < 0.5 for _ in range(rng.randint(1, 4))] for user in users}
        await share([walk(session, user, steps, rng) for user, steps in walks.items()], connections)
        left = sum(steps[-1] for steps in walks.values())
        expect("user_count after joins and leaves", await counted(server, session["id"]), (left, left))
    steps = sum(map(len, walks.values()))
    return f"{len(users)} joins, {len(users)} again, {steps} joins and leaves: {left} are left and counted"


def join(code: str, user: UUID, rng: Random) -> Callable[[Connection], Awaitable[None]]:
    async def job(connection: Connection) -> None:
        await rows(connection, JOIN, code, user, rng.choice(LANGUAGES))

    return job


def walk(session: dict, user: UUID, steps: list[bool], rng: Random) -> Callable[[Connection], Awaitable[None]]:
    """One user's joins (true) and leaves in their order."""

    async def job(connection: Connection) -> None:
        for stays in steps:
            if stays:
                await join(session["code"], user, rng)(connection)
            else:
                await rows(connection, LEAVE, session["id"], user)

    return job


async def counted(server: Server, session: UUID) -> tuple[int, int]:
    """What the session says, and what its participants say."""
    found = await server.execute(
        "select user_count, (select count(*) from session_participants where session_id = s.id and left_at is null) "
        "as present from sessions s where id = %s",
        session,
    )
    return found[0]["user_count"], found[0]["present"]


async def joined(server: Server, session: UUID) -> list[tuple]:
    found = await server.execute(
        "select user_id, joined_at from session_participants where session_id = %s order by user_id", session
    )
    return [tuple(row.values()) for row in found]
