"""What translate_text adds to a provider of 300 ms until the partner has it, and when the first partial is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from pydantic import SecretStr

from babelroom import Babelroom, Message, Partial, Session, Settings
from tests.bench.provider import answering
from tests.bench.report import held, quantile, told
from tests.bench.server import ROOT, Server, running

DELAY = 300.0  # ms
PAUSE = 15.0  # ms between the words of an answer, where partials are timed
ROUNDS = 60
WARM_UP = 5
OVERHEAD, FIRST_PARTIAL = 40.0, 60.0  # ms, p50
_TEXT = "The next train to the coast leaves from platform nine in ten minutes."
_LATE = 30.0


class Pair:
    """Two clients in one session: one speaks, and when the other one's callbacks were told is noted."""

    def __init__(self, mine: Babelroom, session: Session) -> None:
        self._mine = mine
        self._session = session
        self._user = uuid4()
        self._heard: dict[UUID, asyncio.Future[float]] = {}
        self._grew: dict[UUID, asyncio.Future[float]] = {}

    def hear(self, message: Message) -> None:
        if message.translation is not None:
            self._note(self._heard, message.id)

    def grow(self, partial: Partial) -> None:
        self._note(self._grew, partial.message_id)

    async def say(self) -> tuple[float, float | None]:
        """From the call to the callback (ms), and to the callback of the first partial, if one came."""
        own = uuid4()
        loop = asyncio.get_running_loop()
        self._heard[own], self._grew[own] = loop.create_future(), loop.create_future()
        begun = time.perf_counter()
        async with asyncio.timeout(_LATE):
            await self._mine.translate_text(self._session.id, self._user, _TEXT, "en", "es", message_id=own)
            heard = await self._heard[own]
        grown = self._grew[own].result() if self._grew[own].done() else None
        return (heard - begun) * 1_000, None if grown is None else (grown - begun) * 1_000

    @staticmethod
    def _note(told_at: dict[UUID, asyncio.Future[float]], message_id: UUID) -> None:
        if not told_at[message_id].done():
            told_at[message_id].set_result(time.perf_counter())


async def run() -> bool:
    """One message after another; the provider is a process of its own, and the stopwatch stands outside the SDK."""
    async with running("--memory", project=ROOT) as server:
        whole = [total for total, _ in await timed(server, pause=0)]
        grown = await timed(server, pause=PAUSE)
    overhead = [total - DELAY for total in whole]
    first = [partial - DELAY for _, partial in grown if partial is not None]
    told("messages timed", len(whole), "")
    told("call to callback beyond the provider's 300 ms, p95", quantile(overhead, 0.95), "ms")
    told("first partials that came", len(first), f"of {len(grown)}")
    return all(
        [
            held("call to callback beyond the provider's, p50", quantile(overhead, 0.5), "ms", most=OVERHEAD),
            held("first delta to first partial, p50", quantile(first, 0.5), "ms", most=FIRST_PARTIAL),
        ]
    )


async def timed(server: Server, *, pause: float) -> list[tuple[float, float | None]]:
    async with answering(delay_ms=DELAY, pause_ms=pause) as address, talking(server, address) as pair:
        for _ in range(WARM_UP):
            await pair.say()
        return [await pair.say() for _ in range(ROUNDS)]


@asynccontextmanager
async def talking(server: Server, address: str) -> AsyncIterator[Pair]:
    settings = Settings.load(
        url=server.facts["API_URL"], key=server.facts["PUBLISHABLE_KEY"],
        openai_api_key=SecretStr("a-key"), openai_base_url=address,
    )  # fmt: skip
    async with Babelroom(settings) as mine, Babelroom(settings) as theirs:
        session = await mine.sessions.create_session()
        pair = Pair(mine, session)
        await theirs.messages.subscribe_to_messages(session.id, pair.hear)
        async with theirs.messages.stream_partials(session.id) as partials:
            reading = asyncio.create_task(read(partials, pair))
            yield pair
            reading.cancel()


async def read(partials: AsyncIterator[Partial], pair: Pair) -> None:
    async for partial in partials:
        pair.grow(partial)
