"""TranslationWorker: translates the messages that wait in the queue, beside as many others as there are."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from babelroom import inputs
from babelroom.client import Babelroom
from babelroom.config import Settings
from babelroom.errors import InvalidInput
from babelroom.services.queue import MAX_LEASE
from babelroom.worker.crew import Crew, Plan
from babelroom.worker.events import tell
from babelroom.worker.progress import Progress

if TYPE_CHECKING:
    from babelroom.providers import Translator

CONCURRENCY = 8
LEASE = 30.0
_LEAST_LEASE = 0.5
_MOST_LANES = 1_000


def checked_concurrency(lanes: int) -> int:
    """Return the number, or raise InvalidInput."""
    return inputs.whole_number("concurrency", lanes, least=1, most=_MOST_LANES)


def checked_lease(seconds: float) -> float:
    """Return the seconds, or raise InvalidInput."""
    if not _LEAST_LEASE <= inputs.seconds("lease", seconds) <= MAX_LEASE:
        raise InvalidInput(f"lease is {_LEAST_LEASE:g} to {MAX_LEASE:,.0f} seconds. Got {seconds!r:.40}.")
    return seconds


class TranslationWorker:
    """Translates each message once: in order within a session, and many sessions at a time.

    It acts by the project's secret key, with a client of its own; or with one that it is given, made with that key.
    """

    def __init__(
        self,
        source: Settings | Babelroom | None = None,
        *,
        concurrency: int = CONCURRENCY,
        lease: float = LEASE,
        translator: Translator | None = None,
    ) -> None:
        """Take the settings (without any: the environment's), or a client, which then has its own translator.

        `concurrency` is how many sessions are translated at a time; `lease` how many seconds a message stays with a
        worker that falls silent, at least 0.5.

        Raises:
            ConfigurationError: there is no secret key.
            InvalidInput: a number is out of its range.
        """
        if isinstance(source, Babelroom) and translator is not None:
            raise InvalidInput("Give the translator to the client: a worker that is given one uses that client's.")
        if not isinstance(source, Babelroom):
            source = Settings.load_secret() if source is None else source.with_secret_key()
        self._source = source
        self._translator = translator
        name = f"{socket.gethostname():.100} {os.getpid()} {uuid4().hex[:8]}"
        self._plan = Plan(name, checked_concurrency(concurrency), checked_lease(lease))
        self._stopping = asyncio.Event()
        self._crew: Crew | None = None
        self.progress = Progress()
        """What it has done so far, and does now."""

    async def run(self) -> None:
        """Work until stop(). Passing trouble of Supabase or the translator is waited out; cancelling gives back all.

        Raises:
            PermissionDenied: the key is not the project's secret key.
            SchemaMissing: the migrations are not applied.
        """
        await self._run(once=False)

    async def run_once(self) -> Progress:
        """Work until nothing is left to claim. What pauses after a failure, or lies with other workers, is left.

        Raises:
            TranslatorUnavailable: nothing can be translated; no message has lost an attempt.
            BabelroomError: Supabase does not answer, or refuses.
        """
        await self._run(once=True)
        return self.progress

    def stop(self) -> None:
        """Have it claim no more, give back what it has not begun, finish the rest within 10 seconds, and return."""
        if not self._stopping.is_set():
            tell("stopping")
        self._stopping.set()
        if self._crew is not None:
            self._crew.ring()

    async def _run(self, *, once: bool) -> None:
        async with self._client() as room:
            self._crew = Crew(room, self._plan, self.progress, self._stopping)
            tell("started", worker=self._plan.name, concurrency=self._plan.concurrency, lease=self._plan.lease)
            try:
                await self._crew.run(once=once)
            finally:
                done = self.progress
                tell("ended", translated=done.translated, failed=done.failed, released=done.released, lost=done.lost)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Babelroom]:
        if isinstance(self._source, Babelroom):
            yield self._source
            return
        async with Babelroom(self._source, translator=self._translator) as room:
            yield room
