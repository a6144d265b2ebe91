"""A thousand messages of 50 sessions, translated by one worker with 16 lanes, where a translation takes 50 ms."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID, uuid4

from babelroom import Babelroom, MessageInsert, Settings, Translation, TranslationRequest, TranslationWorker
from tests.bench.report import held, spread, told
from tests.bench.server import ROOT, Server, running

LANES, SESSIONS, MESSAGES, ROUNDS = 16, 50, 1_000, 3
PROVIDER = 0.05  # seconds
SHARE = 0.8  # of what the lanes could do if nothing but the provider took time


class Provider:
    name = "bench"

    async def translate(self, request: TranslationRequest, on_delta: object) -> Translation:
        del on_delta
        await asyncio.sleep(PROVIDER)
        return Translation(text="Hola", source=request.source, target=request.target, provider=self.name)


async def run() -> bool:
    """Fill the queue, time one worker until it is empty, and again."""
    ideal = LANES / PROVIDER
    rates, own, servers = [], [], []
    async with running("--memory", project=ROOT) as server:
        settings = Settings.load(
            url=server.facts["API_URL"],
            key=server.facts["PUBLISHABLE_KEY"],
            supabase_secret_key=server.facts["SECRET_KEY"],
        )
        async with Babelroom(settings) as room:
            sessions = [(await room.sessions.create_session()).id for _ in range(SESSIONS)]
            await emptied(server, settings, room, sessions)  # so that all is warm
            for _ in range(ROUNDS):
                seconds, cpu, served = await emptied(server, settings, room, sessions)
                rates.append(MESSAGES / seconds)
                own.append(cpu)
                servers.append(served)
    told("the worker's own processor time, a message", 1_000 * min(own) / MESSAGES, "ms")
    told("supalocal's and Postgres' meanwhile", 1_000 * min(servers) / MESSAGES, "ms")
    told(f"messages/s, lowest / median / highest: {spread(rates)}; ideal", ideal, "/s")
    return held("share of the ideal", sorted(rates)[ROUNDS // 2] / ideal, "", least=SHARE)


async def emptied(
    server: Server, settings: Settings, room: Babelroom, sessions: list[UUID]
) -> tuple[float, float, float]:
    """Seconds on the clock, of our processor time, and of the server's."""
    for session in sessions:
        message = MessageInsert(
            session_id=session, user_id=uuid4(), original="Good morning!", original_lang="en", target_lang="es"
        )
        await room.messages.create_messages([message] * (MESSAGES // SESSIONS))
    worker = TranslationWorker(settings, concurrency=LANES, translator=Provider())
    begun, used, served = time.perf_counter(), time.process_time(), server.cpu()
    done = await worker.run_once()
    seconds = time.perf_counter() - begun
    if done.translated != MESSAGES:
        raise SystemExit(f"{done.translated} of {MESSAGES} messages were translated.")
    return seconds, time.process_time() - used, server.cpu() - served
