"""The queue: names of its functions, which the secret key alone may call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import TypeAdapter

from babelroom.errors import ClaimLost, Conflict
from babelroom.models import Claim, PerformanceMetrics
from babelroom.repositories._gateway import Gateway

_CLAIMS = TypeAdapter(list[Claim])


class QueueRepository:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def claim(self, worker: str, limit: int, lease: float, turns: int) -> list[Claim]:
        arguments = {"worker": worker, "limit": limit, "lease": _interval(lease), "in_order": True, "turns": turns}
        query = self._gateway.supabase.rpc("claim_messages", arguments)
        # Sent once: what a lost answer held can be claimed again when its lease has run out.
        return await self._gateway.run("queue.claim", query, _CLAIMS.validate_python, idempotent=False)

    async def extend(self, claim: Claim, lease: float) -> None:
        query = self._gateway.supabase.rpc("extend_lease", _proven(claim, lease=_interval(lease)))
        with _told_apart():
            await self._gateway.run("queue.extend", query, _nothing, idempotent=True)

    async def complete(self, claim: Claim, translation: str, metrics: PerformanceMetrics) -> None:
        arguments = _proven(claim, translation=translation, metrics=metrics.model_dump(mode="json"))
        query = self._gateway.supabase.rpc("complete_message", arguments)
        with _told_apart():
            await self._gateway.run("queue.complete", query, _nothing, idempotent=True)

    async def fail(self, claim: Claim, reason: str) -> None:
        query = self._gateway.supabase.rpc("fail_message", _proven(claim, error=reason))
        with _told_apart():
            await self._gateway.run("queue.fail", query, _nothing, idempotent=True)

    async def release(self, claim: Claim) -> None:
        query = self._gateway.supabase.rpc("release_message", _proven(claim))
        with _told_apart():
            await self._gateway.run("queue.release", query, _nothing, idempotent=True)


@contextmanager
def _told_apart() -> Iterator[None]:
    """The one conflict that a worker's calls meet has a name of its own."""
    try:
        yield
    except Conflict as error:
        raise ClaimLost(code=error.code, status=error.status, details=error.details) from error


def _proven(claim: Claim, **arguments: Any) -> dict[str, Any]:
    return {"id": str(claim.id), "token": str(claim.token), **arguments}


def _interval(seconds: float) -> str:
    return f"{seconds:f} seconds"


def _nothing(_: Any) -> None:
    """What a call returns whose answer does not matter."""
