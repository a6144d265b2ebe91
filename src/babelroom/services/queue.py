"""QueueService: what a worker asks of the queue. Its client's key is the secret one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from babelroom import inputs
from babelroom.realtime.socket import Rows

if TYPE_CHECKING:
    from babelroom.models import Claim, PerformanceMetrics
    from babelroom.realtime.connection import Connection
    from babelroom.realtime.socket import Lost
    from babelroom.repositories.queue import QueueRepository

MAX_CLAIMS = 100
"""Messages in one claim; public.claim_messages in the migrations refuses more."""

MAX_LEASE = 3_600.0
"""Seconds; the same function's bound."""

_WAITING = Rows("messages", "status=eq.queued")


class QueueService:
    """Claims are in order: whoever holds a message of a session has all of it to themselves.

    All of it raises PermissionDenied for any other key than the secret one.
    """

    def __init__(self, queue: QueueRepository, connection: Connection, *, context_turns: int) -> None:
        self._queue = queue
        self._connection = connection
        self._context_turns = context_turns

    async def claim(self, worker: str, limit: int, lease: float) -> list[Claim]:
        """Return up to so many messages, by session in order, held for the lease's seconds. Empty: nothing is free.

        Each session's oldest comes before any one's second. With each come the last turns before it.
        """
        checked = inputs.whole_number("limit", limit, least=1, most=MAX_CLAIMS)
        return await self._queue.claim(worker, checked, lease, self._context_turns)

    async def extend(self, claim: Claim, lease: float) -> None:
        """Hold it for so many seconds from now.

        Raises:
            ClaimLost: somebody else has it, a client has moved it on, or it is gone.
        """
        await self._queue.extend(claim, lease)

    async def complete(self, claim: Claim, translation: str, metrics: PerformanceMetrics) -> None:
        """Store the translation, which ends the claim.

        Raises:
            ClaimLost: as above.
            InvalidText: it is empty, longer than 40,000 characters, or cannot be stored.
        """
        await self._queue.complete(claim, inputs.text(translation, limit=inputs.MAX_TRANSLATION), metrics)

    async def fail(self, claim: Claim, reason: str) -> None:
        """Say why it could not be translated: it is tried again after a pause, and in the end left as failed.

        Raises:
            ClaimLost: as above.
        """
        await self._queue.fail(claim, inputs.reason(reason))

    async def release(self, claim: Claim) -> None:
        """Give it back as if it had not been claimed.

        Raises:
            ClaimLost: as above.
        """
        await self._queue.release(claim)

    @asynccontextmanager
    async def doorbell(self, ring: Callable[[], None]) -> AsyncIterator[None]:
        """Ring whenever Realtime tells of a message that waits. It may be silent: poll too."""
        bell = _Bell(ring)
        self._connection.follow(_WAITING, bell)
        try:
            yield
        finally:
            await self._connection.unfollow(_WAITING, bell)


class _Bell:
    """A Listener (see realtime/connection.py) that looks at nothing."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring

    def on_event(self, event: object) -> None:  # noqa: ARG002  the claim tells what there is
        self._ring()

    def on_flowing(self) -> None:
        self._ring()

    def on_lost(self, lost: Lost) -> None:
        """Polls go on."""
