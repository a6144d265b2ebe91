"""Partial translations: name of topic and event, and what is sent. They pass through no table."""

from __future__ import annotations

from uuid import UUID

from babelroom.deadlines import deadline
from babelroom.repositories._gateway import Gateway
from babelroom.results import Partial

EVENT = "partial"

_WORTH = 1.0
"""Seconds after which a partial is not worth sending any more."""


def topic(session_id: UUID) -> str:
    """Where a session's partials are sent."""
    return f"partials-{session_id}"


class PartialRepository:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def send(self, session_id: UUID, partial: Partial) -> None:
        """To whoever listens now, within a second or not at all."""
        with deadline(_WORTH):
            await self._gateway.broadcast("partials.send", topic(session_id), EVENT, partial.model_dump(mode="json"))
