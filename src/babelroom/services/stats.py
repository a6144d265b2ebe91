"""Figures for people: how long a session's messages took on their way, and what that cost."""

from __future__ import annotations

from uuid import UUID

from babelroom import inputs
from babelroom.errors import SessionNotFound
from babelroom.models import Usage
from babelroom.prices import Prices
from babelroom.repositories.sessions import SessionRepository
from babelroom.results import ModelUse, SessionStats


class StatsService:
    """Reached as `Babelroom.stats`."""

    def __init__(self, sessions: SessionRepository, prices: Prices) -> None:
        self._sessions = sessions
        self._prices = prices

    async def stats(self, session_id: UUID | str) -> SessionStats:
        """Return a session's figures, from all its messages as they are stored now.

        Raises:
            InvalidId: session_id is not a UUID.
            SessionNotFound: there is no such session.
        """
        key = inputs.uuid(session_id)
        figures = await self._sessions.stats(key)
        if not figures.messages and await self._sessions.get(key) is None:
            raise SessionNotFound
        usage = tuple(self._priced(used) for used in figures.usage)
        return SessionStats(messages=figures.messages, hops=figures.hops, usage=usage, prices_as_of=self._prices.as_of)

    def _priced(self, used: Usage) -> ModelUse:
        return ModelUse(**used.model_dump(), cost=self._prices.cost(used))
