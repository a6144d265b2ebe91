"""Many creators draw every code there is."""

from __future__ import annotations

import asyncio
from random import Random
from uuid import uuid4

from psycopg import Error

from tests.stress.checks import Failed, Tally, expect
from tests.stress.load import Load
from tests.stress.server import Connection, Server, rows

CREATORS = 64
CODES = 10_000
CREATE = "select * from create_session(%s)"
TAKE = """
insert into sessions (code)
select lpad(n::text, 4, '0') from generate_series(0, 9999) n order by random() limit %s
"""


async def run(server: Server, rng: Random, load: Load) -> str:
    """64 creators draw all free codes, none twice and without a visible conflict; then there is none: PT409."""
    del rng
    await server.execute("update sessions set is_active = false where is_active")
    await server.execute(TAKE, load.taken_codes)
    tally, drawn = Tally(), []
    async with server.connections(CREATORS, "anon") as connections, asyncio.TaskGroup() as creators:
        for connection in connections:
            creators.create_task(create_until_none_is_left(connection, drawn, tally))
    expect("creations that ended without a session", tally["create", "PT409"], CREATORS)
    tally.allow("create", "PT409")
    tally.expect_clean()
    expect("codes drawn twice", len(drawn) - len(set(drawn)), 0)
    active = await server.execute("select count(distinct code) as codes, count(*) from sessions where is_active")
    expect("codes of active sessions", active[0], {"codes": CODES, "count": CODES})
    return f"{len(drawn)} codes drawn by {CREATORS} creators, none twice; each then heard PT409"


async def create_until_none_is_left(connection: Connection, drawn: list[str], tally: Tally) -> None:
    for _ in range(CODES + 1):
        try:
            session = (await rows(connection, CREATE, uuid4()))[0]
        except Error as error:
            tally.count("create", error)
            return
        tally.count("create")
        drawn.append(session["code"])
    raise Failed(f"one creator drew more than {CODES} codes")
