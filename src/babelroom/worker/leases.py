"""The claims that a worker holds, from taking them until each has come to one of its ends."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from babelroom.deadlines import deadline
from babelroom.errors import BabelroomError, ClaimLost, DeadlineExceeded, is_transient
from babelroom.models import Claim, PerformanceMetrics
from babelroom.services.queue import QueueService
from babelroom.worker.events import tell
from babelroom.worker.progress import Progress
from babelroom.worker.trouble import Trouble

_GOODBYE_SECONDS = 2.0
_LEAST_PAUSE = 0.1
_LEAST_PATIENCE = 2.0
_BEATS = 3
"""In a lease: two of them may be lost."""


@dataclass(eq=False, slots=True)
class Held:
    """A claim in our hands."""

    claim: Claim
    work: asyncio.Timeout | None = None
    """Around its translation, while that is under way."""
    is_lost: bool = False

    def lose(self) -> None:
        """Somebody else has it: the work on it ends by a TimeoutError."""
        self.is_lost = True
        if self.work is not None:
            self.work.reschedule(asyncio.get_running_loop().time())


@dataclass(eq=False, slots=True)
class Turn:
    """Some messages of one session. Each is translated after the one before it, and stored after that one."""

    waiting: deque[Held]
    storing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Leases:
    """While Supabase is away, an end is tried again until it is known, or the claim is lost."""

    def __init__(self, queue: QueueService, worker: str, lease: float, progress: Progress, away: Trouble) -> None:
        self._queue = queue
        self._worker = worker
        self._lease = lease
        self._progress = progress
        self._away = away
        self._held: dict[UUID, Held] = {}

    def __bool__(self) -> bool:
        """Whether anything is held."""
        return bool(self._held)

    async def take(self, limit: int) -> list[Turn]:
        """Claim up to so many messages; those of a session are one turn.

        Raises:
            BabelroomError: as QueueService.claim().
        """
        claims = await self._queue.claim(self._worker, limit, self._lease)
        by_session = groupby(claims, key=lambda claim: claim.session_id)
        turns = [Turn(deque(map(Held, of_one))) for _, of_one in by_session]
        self._held.update((held.claim.id, held) for turn in turns for held in turn.waiting)
        return turns

    async def complete(self, held: Held, translation: str, metrics: PerformanceMetrics) -> bool:
        """Store the translation; False: the claim was lost.

        Raises:
            BabelroomError: it cannot be stored.
        """
        done = await self._end(held, lambda claim: self._queue.complete(claim, translation, metrics))
        self._progress.translated += done
        return done

    async def fail(self, held: Held, reason: str) -> None:
        """Report that it could not be translated."""
        if await self._end_or_forget(held, lambda claim: self._queue.fail(claim, reason)):
            self._progress.failed += 1

    async def release(self, held: Held) -> None:
        """Give it back."""
        if await self._end_or_forget(held, self._queue.release):
            self._progress.released += 1
            tell("released", held.claim)

    async def release_rest(self) -> None:
        """Give back all that is still held, as far as that can be done at once."""
        if not self._held:
            return
        with suppress(TimeoutError), deadline(_GOODBYE_SECONDS):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await asyncio.gather(*map(self.release, list(self._held.values())))
        for held in self._held.values():
            tell("left_behind", held.claim, level=logging.WARNING)  # until its lease runs out
        self._held.clear()

    async def keep(self) -> None:
        """Extend every lease again and again, without end."""
        while True:
            await asyncio.sleep(self._lease / _BEATS)
            with deadline(max(self._lease / _BEATS, _LEAST_PATIENCE)):
                await asyncio.gather(*map(self._extend, list(self._held.values())))

    async def _extend(self, held: Held) -> None:
        try:
            await self._queue.extend(held.claim, self._lease)
        except ClaimLost:
            # It may have come to its end meanwhile, and be ours no more for that reason.
            if held.claim.id in self._held:
                self._lose(held)
        except BabelroomError as error:
            self._away.meet(error)
        else:
            self._away.end()

    async def _end(self, held: Held, call: Callable[[Claim], Awaitable[None]]) -> bool:
        while not held.is_lost:
            try:
                await call(held.claim)
            except ClaimLost:
                self._lose(held)
            except BabelroomError as error:
                if not is_transient(error) and not isinstance(error, DeadlineExceeded):
                    raise
                self._away.meet(error)
                await asyncio.sleep(max(self._away.pause, _LEAST_PAUSE))
            else:
                self._away.end()
                self._held.pop(held.claim.id, None)
                return True
        return False

    async def _end_or_forget(self, held: Held, call: Callable[[Claim], Awaitable[None]]) -> bool:
        try:
            return await self._end(held, call)
        except BabelroomError as error:
            # Refused for good. Its lease runs out, and another worker may do better.
            tell("refused", held.claim, level=logging.ERROR, error=str(error))
            self._held.pop(held.claim.id, None)
            return False

    def _lose(self, held: Held) -> None:
        if held.is_lost:
            return
        self._held.pop(held.claim.id, None)
        self._progress.lost += 1
        tell("lost", held.claim, level=logging.WARNING)
        held.lose()
