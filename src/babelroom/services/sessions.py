"""Sessions: made, found by their code, joined and left."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

from babelroom import inputs
from babelroom.errors import Conflict, SchemaMissing
from babelroom.models import Participant, Session
from babelroom.realtime.row_stream import RowStream
from babelroom.realtime.subscription import Callback, Subscription
from babelroom.realtime.subscriptions import Subscriptions
from babelroom.repositories.sessions import SessionRepository

logger = logging.getLogger("babelroom")

_TRIES = 10
"""Codes to try when the database has no function for it; the founding spec's number."""


class SessionService:
    """The founding spec's SessionService. Reached as `Babelroom.sessions`."""

    def __init__(self, sessions: SessionRepository, subscriptions: Subscriptions) -> None:
        self._sessions = sessions
        self._subscriptions = subscriptions
        self._joined: list[tuple[UUID, UUID | None]] = []

    async def generate_session_code(self) -> str:
        """Return a four-digit code that no live session has.

        create_session() draws its own; use this only to insert a session yourself. Where the database lacks the
        function, codes are tried one by one, as the founding spec does.

        Raises:
            Conflict: all 10,000 codes are in use, or ten tries found none that is free.
        """
        try:
            return await self._sessions.generate_code()
        except SchemaMissing:
            logger.warning("The function generate_unique_session_code is missing: trying codes one by one")
        for _ in range(_TRIES):
            code = f"{secrets.randbelow(10_000):04}"
            if not await self._sessions.exists(code):
                return code
        raise Conflict("Failed to generate unique session code")

    async def session_exists(self, code: str) -> bool:
        """Whether a session with this code is active and not expired."""
        return await self._sessions.exists(inputs.session_code(code))

    async def create_session(self) -> Session:
        """Create a session with a code of its own, valid for 4 hours. A retry never makes a second one.

        Raises:
            Conflict: all 10,000 codes are in use.
        """
        return await self._sessions.create(request_id=uuid4())

    async def join_session(self, code: str, user_id: UUID | str | None = None, lang: str | None = None) -> Session:
        """Join the session with this code and return it. A user who joins twice counts once.

        With the code alone, as in the founding spec, every call counts, so it is not retried once it may have
        reached the server. Closing the client leaves the sessions that it joined.

        Raises:
            SessionNotFound: no session has this code.
            SessionExpired: it was closed, or its time is over.
        """
        code = inputs.session_code(code)
        if user_id is None and lang is None:
            session = await self._sessions.join_unnamed(code)
            self._joined.append((session.id, None))
            return session
        user = inputs.uuid(user_id or "")
        session = await self._sessions.join(code, user, inputs.language(lang or ""))
        if (session.id, user) not in self._joined:
            self._joined.append((session.id, user))
        return session

    async def leave_session(self, session_id: UUID | str, user_id: UUID | str | None = None) -> None:
        """Leave the session. Leaving twice, or an unknown session, does nothing.

        Without a user: one who joined by the code alone leaves.
        """
        session, user = inputs.uuid(session_id), None if user_id is None else inputs.uuid(user_id)
        if user is None:
            await self._sessions.leave_unnamed(session)
        else:
            await self._sessions.leave(session, user)
        if (session, user) in self._joined:
            self._joined.remove((session, user))

    async def get_participants(self, session_id: UUID | str) -> list[Participant]:
        """Who is in the session now and speaks which language, in the order of joining."""
        return await self._sessions.present(inputs.uuid(session_id))

    async def subscribe_to_session(self, session_id: UUID | str, on_update: Callback[Session]) -> Subscription[Session]:
        """Call back with the session's row at each change; returns when changes really flow.

        Raises:
            SubscribeFailed: Realtime refused, or did not confirm in time.
        """
        subscription = await self._subscribe(inputs.uuid(session_id))
        subscription.deliver_to(on_update)
        return subscription

    async def stream(self, session_id: UUID | str) -> AsyncIterator[Session]:
        """Yield the session's row at each change. The async-iterator form of subscribe_to_session()."""
        subscription = await self._subscribe(inputs.uuid(session_id))
        try:
            async for session in subscription:
                yield session
        finally:
            await subscription.unsubscribe()

    async def leave_joined(self) -> None:
        """Leave every session that this client joined, as far as the server can be reached."""
        joined, self._joined = self._joined, []
        left = await asyncio.gather(*(self.leave_session(*each) for each in joined), return_exceptions=True)
        for (session_id, _), error in zip(joined, left, strict=True):
            if error is not None:
                logger.warning("Session %s could not be left: %s", session_id, error)

    async def _subscribe(self, session_id: UUID) -> Subscription[Session]:
        async def current() -> list[Session]:
            session = await self._sessions.get(session_id)
            return [session] if session else []

        subscription = Subscription[Session]()
        rows = RowStream(subscription, Session, current, told=await current())
        await self._subscriptions.open(
            subscription,
            table="sessions",
            row_filter=f"id=eq.{session_id}",
            on_change=rows.on_change,
            on_ready=rows.on_ready,
        )
        subscription.run(rows.keep_true())
        return subscription
