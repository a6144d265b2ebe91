"""Babelroom: one client, one property per service."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from babelroom.config import Settings
from babelroom.deadlines import deadline, limit
from babelroom.errors import BabelroomError, ClientClosed, ConfigurationError
from babelroom.realtime.subscriptions import Subscriptions
from babelroom.repositories._gateway import Gateway
from babelroom.repositories.activity import ActivityRepository
from babelroom.repositories.messages import MessageRepository
from babelroom.repositories.sessions import SessionRepository
from babelroom.services.activity import ActivityService
from babelroom.services.messages import MessageService
from babelroom.services.sessions import SessionService
from babelroom.services.translation import TranslationService

if TYPE_CHECKING:
    from types import TracebackType

    from babelroom.timings import Timing
    from babelroom.translators import Translator
    from supabase import AsyncClient

logger = logging.getLogger("babelroom")

_CHECK_SECONDS = 3.0
_GOODBYE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Health:
    """What the last check_supabase_connection() found."""

    is_connected: bool | None
    """None before the first check."""
    reason: str
    """Why not, and what to do; empty if connected."""


class Babelroom:
    """A conversation's client. Make it with connect(), use it in `async with`, or close() it.

    Leaving the block ends the subscriptions and leaves the sessions that this client joined, when the server can be
    reached.
    """

    def __init__(self, settings: Settings, *, translator: Translator | None = None) -> None:
        self._gateway = Gateway(settings)
        self._subscriptions = Subscriptions(
            self._gateway.supabase.realtime,
            within=lambda: limit(settings.subscribe_timeout),
            check_usable=self._gateway.check_usable,
        )
        self._session_rows = SessionRepository(self._gateway)
        self._is_closed = False
        self._health = Health(is_connected=None, reason="Not checked yet.")
        self.settings = settings
        self.sessions = SessionService(self._session_rows, self._subscriptions)
        self.messages = MessageService(MessageRepository(self._gateway), self._subscriptions)
        self.activity = ActivityService(ActivityRepository(self._gateway), self._subscriptions)
        self.translation = TranslationService(settings, translator)

    @classmethod
    def connect(cls, *, url: str | None = None, key: str | None = None, translator: Translator | None = None) -> Self:
        """Make a client from the environment, `.env.local` and `.env`, or from a URL and key given as a pair.

        Nothing is sent yet. A client belongs to the event loop that it is first used in.

        Raises:
            ConfigurationError: a setting is malformed.
        """
        return cls(Settings.load(url=url, key=key), translator=translator)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End every subscription, leave the joined sessions, close all connections. Closing twice does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        async with AsyncExitStack() as ending:  # each step is taken, whatever the others meet
            ending.push_async_callback(self._gateway.close)
            ending.push_async_callback(self.translation.close)
            ending.push_async_callback(self._subscriptions.close)
            with deadline(_GOODBYE_SECONDS):
                await asyncio.gather(self.activity.go_idle(), self.sessions.leave_joined())

    @property
    def supabase(self) -> AsyncClient:
        """The raw supabase-py client, for what babelroom does not do."""
        return self._gateway.supabase

    async def check_supabase_connection(self) -> bool:
        """Whether Supabase answers and the tables are there. Never raises: health() has the reason."""
        try:
            with deadline(_CHECK_SECONDS):
                await self._session_rows.ping()
        except (BabelroomError, ClientClosed) as error:
            logger.warning("Supabase connection error: %s", error)
            self._health = Health(is_connected=False, reason=str(error))
            return False
        self._health = Health(is_connected=True, reason="")
        return True

    def health(self) -> Health:
        """What the last check found."""
        return self._health

    def timings(self) -> dict[str, Timing]:
        """How long each operation took (ms), by name, such as "sessions.join"."""
        return self._gateway.timings.summary()


async def check_supabase_connection() -> bool:
    """Whether the environment's Supabase project answers and has the tables. Never raises; the reason is logged."""
    try:
        async with Babelroom(Settings.load()) as babelroom:
            return await babelroom.check_supabase_connection()
    except ConfigurationError as error:
        logger.warning("Supabase connection error: %s", error)
        return False
