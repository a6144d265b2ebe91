"""A worker's run: one claimer keeps lanes busy, and each lane translates one session's messages after the other."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

from babelroom.client import Babelroom
from babelroom.errors import (
    BabelroomError,
    ClaimLost,
    PermissionDenied,
    SchemaMissing,
    TranslationFailed,
    TranslatorUnavailable,
)
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
_MOST_AHEAD = 2
"""Messages, for each lane."""
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
        self._waiting: deque[Turn] = deque()
        self._busy = 0
        """Lanes that translate now. What is being stored needs none."""
        self._working: set[asyncio.Task[None]] = set()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._seconds: float | None = None
        """What a translation takes, on the average."""
        self._news = asyncio.Event()
        self._may_find = True
        """Whether another claim may find something: not while all that there was is in hand."""
        self._unavailable: TranslatorUnavailable | None = None

    def ring(self) -> None:
        """There may be something to claim, or to stop for."""
        self._may_find = True
        self._news.set()

    async def run(self, *, once: bool) -> None:
        """Work until told to stop; `once`: or until there is nothing left to claim.

        Raises:
            PermissionDenied: the key is not the secret one.
            SchemaMissing: the migrations are not applied.
            TranslatorUnavailable: `once`, and nothing can be translated.
            BabelroomError: `once`, and Supabase does not answer.
        """
        keeping = asyncio.create_task(self._leases.keep(), name="babelroom leases")
        claiming = asyncio.create_task(self._claim(once=once), name="babelroom claims")
        try:
            async with AsyncExitStack() as opened:
                if not once:
                    await opened.enter_async_context(self._room.queue.doorbell(self.ring))
                await asyncio.wait({claiming, keeping, self._broken}, return_when=asyncio.FIRST_COMPLETED)
                for ended in (claiming, keeping, self._broken):
                    if ended.done():
                        ended.result()
                await self._wind_up()
        finally:
            tasks = {claiming, keeping, *self._working}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._leases.release_rest()
            self._progress.waiting = None
        if once and self._unavailable:
            raise self._unavailable

    async def _claim(self, *, once: bool) -> None:
        """Keep the lanes busy; return when told to stop, or when `once` is done."""
        while not self._stopping.is_set():
            self._news.clear()
            # What is held keeps the rest of its session from us: only with empty hands is nothing found the end.
            limit, is_idle = self._wanted(), not self._leases
            claimed = await self._take(limit, once=once) if limit else 0
            if once and (self._unavailable or (limit and is_idle and not claimed)):
                return
            await self._wait_for_news()

    async def _take(self, limit: int, *, once: bool) -> int:
        self._may_find = False
        try:
            turns = await self._leases.take(limit)
        except BabelroomError as error:
            if once or isinstance(error, _HOPELESS):
                raise
            self._supabase.meet(error)
            return 0
        self._supabase.end()
        claimed = sum(len(turn.waiting) for turn in turns)
        if claimed == limit:
            self.ring()
        self._waiting += turns
        self._fill_lanes()
        return claimed

    def _wanted(self) -> int:
        """How many messages to claim now."""
        if self._supabase.pause or not self._may_find:
            return 0
        if self._translator.reason is not None:  # one of them tries whether it is back
            return 0 if self._translator.pause or self._waiting or self._working else 1
        waiting, ahead = len(self._waiting), self._ahead()
        idle = self._plan.concurrency - self._busy
        return 0 if waiting > ahead // 2 else max(0, min(MAX_CLAIMS, idle + ahead - waiting))

    def _ahead(self) -> int:
        if self._seconds is None:
            return 0
        lanes = self._plan.concurrency
        return min(_MOST_AHEAD * lanes, math.ceil(lanes * _AHEAD_SECONDS / max(self._seconds, 0.001)))

    async def _wait_for_news(self) -> None:
        self._progress.waiting = self._supabase.reason or self._translator.reason
        pause = self._supabase.pause or self._translator.pause
        if pause:  # what rings meanwhile changes nothing
            await _within(pause, self._stopping.wait())
            self._may_find = True
        elif not await _within(self._room.settings.poll_interval, self._news.wait()):
            self._may_find = True

    async def _wind_up(self) -> None:
        """Give back what nobody has begun, and let the rest come to its end, for a while."""
        await _within(min(self._plan.lease, _MOST_GRACE), self._finish())

    async def _finish(self) -> None:
        await asyncio.gather(*map(self._leases.release, self._drained()))
        if self._working:
            await asyncio.wait(self._working)

    def _drained(self) -> list[Held]:
        """What nobody has begun; it is for the caller to give back."""
        waiting = [held for turn in self._waiting for held in turn.waiting]
        self._waiting.clear()
        return waiting

    def _fill_lanes(self) -> None:
        # An answer to a claim may come when it is too late to begin.
        while self._waiting and self._busy < self._plan.concurrency and not self._stopping.is_set():
            self._busy += 1
            task = asyncio.create_task(self._work(self._waiting.popleft()), name="babelroom message")
            self._working.add(task)
            task.add_done_callback(self._end_work)
        self._progress.in_flight = len(self._working)
        self._news.set()

    def _end_work(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._broken.done():
            self._broken.set_exception(error)
        self._progress.in_flight = len(self._working)
        self._news.set()

    async def _work(self, turn: Turn) -> None:
        """Translate a turn's first message, hand on the turn, and bring the message to its end."""
        held, start = turn.waiting.popleft(), _now()
        outcome = await self._translate(held)
        seconds = (_now() - start) / 1_000
        self._seconds = seconds if self._seconds is None else self._seconds + _NEWEST * (seconds - self._seconds)
        if isinstance(outcome, TranslatorUnavailable):
            await self._give_up([held, *turn.waiting], outcome)
            return
        given_back = self._hand_on(turn)
        async with turn.storing:
            await self._end(held, outcome, start)
        if given_back:
            await asyncio.gather(*map(self._leases.release, given_back))
        if not turn.waiting:
            self.ring()  # there may be more of this session

    async def _translate(self, held: Held) -> Translation | Exception:
        """What came of it; some error, if the claim was lost meanwhile."""
        try:
            if held.is_lost:
                return ClaimLost()
            async with asyncio.timeout(None) as held.work:
                return await self._ask(held.claim)
        except Exception as error:  # noqa: BLE001  whatever a translator of somebody's own raises, it is about this text
            return error
        finally:
            held.work = None
            self._busy -= 1

    def _hand_on(self, turn: Turn) -> list[Held]:
        """Let the turn wait for a lane again; or return what is to be given back."""
        rest: list[Held] = []
        if self._stopping.is_set() or self._translator.pause:
            rest = list(turn.waiting)
            turn.waiting.clear()
        elif turn.waiting:
            self._waiting.append(turn)
        self._fill_lanes()
        return rest

    async def _end(self, held: Held, outcome: Translation | Exception, start: float) -> None:
        claim, end = held.claim, _now()
        error = outcome if isinstance(outcome, Exception) else None
        if isinstance(outcome, Translation):
            try:
                if await self._leases.complete(held, outcome.text, _metrics(claim, outcome, start, end)):
                    tell("translated", claim, ms=round(_now() - start))
            except BabelroomError as refusal:  # what was made of it cannot be stored
                error = refusal
        if error is not None and not held.is_lost:
            tell("failed", claim, level=logging.WARNING, ms=round(_now() - start), error=without_words(error, claim))
            await self._leases.fail(held, str(error) or type(error).__name__)
        self._translator.end()

    async def _give_up(self, unbegun: list[Held], error: TranslatorUnavailable) -> None:
        """No text can be translated now: no message is to blame, so none may lose an attempt."""
        self._unavailable = error
        self._translator.meet(error)
        self._progress.waiting = self._translator.reason
        await asyncio.gather(*map(self._leases.release, [*unbegun, *self._drained()]))

    async def _ask(self, claim: Claim) -> Translation:
        request = TranslationRequest(claim.original, claim.original_lang, claim.target_lang, claim.context)
        translation = await self._room.interpreter.interpret(claim, request)
        if not translation.is_translated:
            raise TranslationFailed(
                f"{translation.provider} does not know this text: give the worker OPENAI_API_KEY, or apertium with "
                f"{claim.original_lang} and {claim.target_lang}."
            )
        return translation


async def _within(seconds: float, awaited: Coroutine[Any, Any, object]) -> bool:
    """Wait for it, but no longer than that; whether it came."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await awaited
            return True
    return False


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
