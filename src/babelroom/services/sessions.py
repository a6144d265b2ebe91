"""Sessions: made, found by their code, joined and left."""

from __future__ import annotations

import asyncio
import logging
import secrets
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from babelroom import inputs
from babelroom.deadlines import without_deadline
from babelroom.errors import BabelroomError, Conflict, InvalidInput, SchemaMissing, SessionExpired, SessionNotFound
from babelroom.models import Participant, Session
from babelroom.realtime.session_source import SessionSource
from babelroom.realtime.socket import Rows
from babelroom.realtime.stream import Stream
from babelroom.realtime.subscription import Callback, Subscription
from babelroom.realtime.subscriptions import Subscriptions
from babelroom.repositories.sessions import SessionRepository

logger = logging.getLogger("babelroom")

_TRIES = 10
"""Codes to try when the database has no function for it; the founding spec's number."""


SIGN_OF_LIFE_SECONDS = 30.0
"""How often a client says that its users are there. The database takes them as gone after 2 minutes without a sign."""


class SessionService:
    """The founding spec's SessionService. Reached as `Babelroom.sessions`."""

    def __init__(
        self, sessions: SessionRepository, subscriptions: Subscriptions, *, sign_of_life: float = SIGN_OF_LIFE_SECONDS
    ) -> None:
        self._sessions = sessions
        self._subscriptions = subscriptions
        self._sign_of_life = sign_of_life
        self._joined: list[tuple[UUID, UUID | None]] = []
        self._presence: asyncio.Task[None] | None = None

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

    async def find_session(self, code: str) -> Session:
        """Return the session that is open under this code, without joining it.

        Raises:
            InvalidCode: the code is not four digits.
            SessionNotFound: no open session has it.
        """
        session = await self._sessions.by_code(inputs.session_code(code))
        if session is None:
            raise SessionNotFound
        return session

    async def create_session(self) -> Session:
        """Create a session with a code of its own, valid for 4 hours. A retry never makes a second one.

        Raises:
            Conflict: all 10,000 codes are in use.
        """
        return await self._sessions.create(request_id=uuid4())

    async def join_session(self, code: str, user_id: UUID | str | None = None, lang: str | None = None) -> Session:
        """Join the session with this code and return it. A user who joins twice counts once.

        With the code alone, as in the founding spec, every call counts, so it is not retried once it may have
        reached the server. Until it leaves, the client tells the database every 30 seconds that the user is there;
        one who falls silent no longer counts after 2 minutes. Closing the client leaves the sessions that it joined.

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
        if self._presence is None or self._presence.done():
            self._presence = asyncio.create_task(
                self._stay_present(), name="babelroom presence", context=without_deadline()
            )
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

    async def extend_session(self, session_id: UUID | str, duration: timedelta) -> Session:
        """Move the end of a live session by the duration, at most to 24 hours from its creation; return the session.

        It is not retried once it may have reached the server: the session would be extended twice.

        Raises:
            SessionNotFound: there is no such session.
            SessionExpired: it was closed, or its time is over.
        """
        if not isinstance(duration, timedelta) or duration <= timedelta(0):
            raise InvalidInput(f"A session is extended by a positive timedelta. Got {duration}.")
        return await self._sessions.extend(inputs.uuid(session_id), duration)

    async def close_session(self, session_id: UUID | str) -> Session:
        """Close the session for everybody, which frees its code, and return it. Closing twice does nothing.

        Raises:
            SessionNotFound: there is no such session.
        """
        return await self._sessions.close(inputs.uuid(session_id))

    async def get_participants(self, session_id: UUID | str) -> list[Participant]:
        """Who is in the session now and speaks which language, in the order of joining."""
        return await self._sessions.present(inputs.uuid(session_id))

    async def subscribe_to_session(self, session_id: UUID | str, on_update: Callback[Session]) -> Subscription[Session]:
        """Call back with the session's row as it is, then as it is after a change, and at last with SessionEnded.

        It returns when changes will be told, live or by polls. The end comes when somebody closes the session, and at
        its expires_at also when nothing more is heard of it; the subscription then ends by itself.

        Raises:
            SessionNotFound: there is no such session.
            SubscribeFailed: Realtime refused, or neither Realtime nor REST could be had in time.
        """
        subscription = await self._subscribe(inputs.uuid(session_id))
        subscription.deliver_to(on_update)
        return subscription

    def stream(self, session_id: UUID | str) -> Stream[Session]:
        """Yield the session's row, each change and its end. The async-iterator form of subscribe_to_session()."""
        return Stream(partial(self._subscribe, inputs.uuid(session_id)))

    async def leave_joined(self) -> None:
        """Leave every session that this client joined, as far as the server can be reached."""
        if self._presence is not None:
            self._presence.cancel()
            await asyncio.wait([self._presence])
        joined, self._joined = self._joined, []
        left = await asyncio.gather(*(self.leave_session(*each) for each in joined), return_exceptions=True)
        for (session_id, _), error in zip(joined, left, strict=True):
            if error is not None:
                logger.warning("Session %s could not be left: %s", session_id, error)

    async def _stay_present(self) -> None:
        while any(user for _, user in self._joined):
            await asyncio.sleep(self._sign_of_life)
            for session_id, user in list(self._joined):
                if user is not None:
                    await self._show(session_id, user)

    async def _show(self, session_id: UUID, user: UUID) -> None:
        try:
            is_in = await self._sessions.touch(session_id, user)
        except (SessionExpired, SessionNotFound):
            is_in = False
        except BabelroomError as error:
            logger.info("No sign of life reached session %s: %s", session_id, error)
            return
        if not is_in and (session_id, user) in self._joined:
            self._joined.remove((session_id, user))

    async def _subscribe(self, session_id: UUID) -> Subscription[Session]:
        source = SessionSource(partial(self._sessions.get, session_id), partial(self._sessions.is_live, session_id))
        await source.fetch()  # raises SessionNotFound before anything is opened
        return await self._subscriptions.open(source, Rows("sessions", f"id=eq.{session_id}"))
