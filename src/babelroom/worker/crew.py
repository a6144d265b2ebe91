"""A worker's run: one claimer keeps lanes busy, and each lane translates one session's messages after the other."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from babelroom.client import Babelroom
from babelroom.errors import BabelroomError, PermissionDenied, SchemaMissing, TranslatorUnavailable
from babelroom.models import Claim, MeteredMetrics
from babelroom.results import Translation, TranslationRequest
from babelroom.services.queue import MAX_CLAIMS
from babelroom.worker.events import tell, without_words
from babelroom.worker.leases import Held, Leases, Turn
from babelroom.worker.progress import Progress
from babelroom.worker.trouble import Trouble

_MOST_GRACE = 10.0
_AHEAD_SECONDS = 0.2
"""What lanes do in that time is claimed ahead, as long as a claim may take; more would only keep it from others."""
_NEWEST = 0.2
"""The weight of the newest message in the mean time that one takes."""
_HOPELESS = (PermissionDenied, SchemaMissing)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a worker works."""

    name: str
    concurrency: int
    lease: float
    """Seconds."""


class Crew:
    """Runs once. `stopping` is set from outside."""

    def __init__(self, room: Babelroom, plan: Plan, progress: Progress, stopping: asyncio.Event) -> None:
        self._room = room
        self._plan = plan
        self._progress = progress
        self._stopping = stopping
        self._supabase = Trouble("supabase")
        self._translator = Trouble("translator")
        self._leases = Leases(room.queue, plan.name, plan.lease, progress, self._supabase)
        self._turns: asyncio.Queue[Turn] = asyncio.Queue()
        self._busy = 0
        self._seconds: float | None = None
        """What a message takes a lane, on the average."""
        self._news = asyncio.Event()
        self._unavailable: TranslatorUnavailable | None = None

    def ring(self) -> None:
        """Something may have to be done."""
        self._news.set()

    async def run(self, *, once: bool) -> None:
        """Work until told to stop; `once`: or until there is nothing left to claim.

        Raises:
            PermissionDenied: the key is not the secret one.
            SchemaMissing: the migrations are not applied.
            TranslatorUnavailable: `once`, and nothing can be translated.
            BabelroomError: `once`, and Supabase does not answer.
        """
        lanes = [asyncio.create_task(self._work(), name="babelroom lane") for _ in range(self._plan.concurrency)]
        keeping = asyncio.create_task(self._leases.keep(), name="babelroom leases")
        claiming = asyncio.create_task(self._claim(once=once), name="babelroom claims")
        tasks = {claiming, keeping, *lanes}
        try:
            async with AsyncExitStack() as opened:
                if not once:
                    await opened.enter_async_context(self._room.queue.doorbell(self.ring))
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                await self._wind_up()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._leases.release_rest()
        if once and self._unavailable:
            raise self._unavailable

    async def _claim(self, *, once: bool) -> None:
        """Keep the lanes busy; return when told to stop, or when `once` is done."""
        while not self._stopping.is_set():
            self._news.clear()
            limit = self._wanted()
            claimed = await self._take(limit, once=once) if limit else 0
            if once and (self._unavailable or (limit and not claimed and not self._leases)):
                return
            if not limit or claimed < limit:
                await self._wait_for_news()

    async def _take(self, limit: int, *, once: bool) -> int:
        try:
            turns = await self._leases.take(limit)
        except BabelroomError as error:
            if once or isinstance(error, _HOPELESS):
                raise
            self._supabase.meet(error)
            return 0
        self._supabase.end()
        for turn in turns:
            self._turns.put_nowait(turn)
        return sum(map(len, turns))

    def _wanted(self) -> int:
        """How many messages to claim now."""
        if self._supabase.pause:
            return 0
        waiting, idle = self._turns.qsize(), self._plan.concurrency - self._busy
        if self._translator.reason is not None:  # one of them tries whether it is back
            return 0 if self._translator.pause or waiting or self._busy else 1
        ahead = self._ahead()
        return 0 if waiting > ahead // 2 else max(0, min(MAX_CLAIMS, idle + ahead - waiting))

    def _ahead(self) -> int:
        if self._seconds is None:
            return 0
        lanes = self._plan.concurrency
        return min(lanes, math.ceil(lanes * _AHEAD_SECONDS / max(self._seconds, 0.001)))

    async def _wait_for_news(self) -> None:
        self._progress.waiting = self._supabase.reason or self._translator.reason
        pause = self._supabase.pause or self._translator.pause
        if pause:  # what rings meanwhile changes nothing
            await self._wait_for_stop(pause)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._room.settings.poll_interval):
                await self._news.wait()

    async def _wait_for_stop(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _wind_up(self) -> None:
        """Give back what nobody has begun, and let the rest come to its end, for a while."""
        waiting = [held for turn in self._drained() for held in turn]
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self._plan.lease, _MOST_GRACE)):
                await asyncio.gather(*map(self._leases.release, waiting))
                while self._busy:
                    self._news.clear()
                    await self._news.wait()

    def _drained(self) -> list[Turn]:
        return [self._turns.get_nowait() for _ in range(self._turns.qsize())]

    async def _work(self) -> None:
        """One lane, without end."""
        while True:
            turn = await self._turns.get()
            self._busy += 1
            self._news.set()
            try:
                for held in turn:
                    await self._do(held)
            finally:
                self._busy -= 1
                self._news.set()

    async def _do(self, held: Held) -> None:
        if held.is_lost:
            return
        if self._stopping.is_set() or self._translator.pause:
            await self._leases.release(held)
            return
        start = time.monotonic()
        self._progress.in_flight += 1
        try:
            await self._interpret(held)
        finally:
            self._progress.in_flight -= 1
        took = time.monotonic() - start
        self._seconds = took if self._seconds is None else self._seconds + _NEWEST * (took - self._seconds)

    async def _interpret(self, held: Held) -> None:
        """Translate it, and bring it to its end."""
        claim, start = held.claim, _now()
        try:
            async with asyncio.timeout(None) as held.work:
                translation = await self._translate(claim)
            held.work = None
            if await self._leases.complete(held, translation.text, _metrics(claim, translation, start, _now())):
                tell("translated", claim, ms=round(_now() - start))
            self._translator.end()
        except TranslatorUnavailable as error:
            await self._give_up(held, error)
        except Exception as error:  # noqa: BLE001  whatever a translator of somebody's own raises, it is about this text
            held.work = None
            if held.is_lost:
                return
            tell("failed", claim, level=logging.WARNING, ms=round(_now() - start), error=without_words(error, claim))
            await self._leases.fail(held, str(error) or type(error).__name__)
            self._translator.end()

    async def _translate(self, claim: Claim) -> Translation:
        request = TranslationRequest(claim.original, claim.original_lang, claim.target_lang)
        return await self._room.interpreter.interpret(claim, request)

    async def _give_up(self, held: Held, error: TranslatorUnavailable) -> None:
        """No text can be translated now: no message is to blame, so none may lose an attempt."""
        held.work = None
        self._unavailable = error
        self._translator.meet(error)
        self._progress.waiting = self._translator.reason
        others = [other for turn in self._drained() for other in turn]
        await asyncio.gather(*map(self._leases.release, [held, *others]))


def _metrics(claim: Claim, translation: Translation, start: float, end: float) -> MeteredMetrics:
    """As far as a worker knows: the text was there when it was queued, and is delivered now."""
    queued = claim.queued_at.timestamp() * 1_000
    so_far = max(0.0, end - queued)  # the two clocks may differ
    return MeteredMetrics(
        audio_recording_start=queued,
        audio_recording_end=queued,
        whisper_request_start=queued,
        whisper_response_end=queued,
        translation_request_start=start,
        translation_response_end=end,
        message_delivery_time=so_far,
        total_end_to_end_time=so_far,
        usage=(translation.usage,) if translation.usage else (),
    )


def _now() -> float:
    """Epoch ms."""
    return time.time() * 1_000
