"""Babelroom: one client, one property per service."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Self

from babelroom.config import Settings
from babelroom.deadlines import deadline, limit
from babelroom.errors import BabelroomError, ClientClosed, ConfigurationError
from babelroom.health import Health
from babelroom.realtime.connection import Connection, Options
from babelroom.realtime.subscriptions import Subscriptions
from babelroom.realtime.tasks import Tasks
from babelroom.repositories._gateway import Gateway
from babelroom.repositories.activity import ActivityRepository
from babelroom.repositories.messages import MessageRepository
from babelroom.repositories.partials import PartialRepository
from babelroom.repositories.queue import QueueRepository
from babelroom.repositories.sessions import SessionRepository
from babelroom.services.activity import ActivityService
from babelroom.services.interpreter import Interpreter
from babelroom.services.messages import MessageService
from babelroom.services.queue import QueueService
from babelroom.services.sessions import SessionService
from babelroom.services.stats import StatsService
from babelroom.services.translation import TranslationService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from babelroom.providers import Speaker, Transcriber, Translator
    from babelroom.realtime.status import State, StateChange
    from babelroom.timings import Timing
    from supabase import AsyncClient

logger = logging.getLogger("babelroom")

_CHECK_SECONDS = 3.0
_GOODBYE_SECONDS = 3.0


class Babelroom:
    """A conversation's client. Make it with connect(), use it in `async with`, or close() it.

    Leaving the block ends the subscriptions and leaves the sessions that this client joined, when the server can be
    reached.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        translator: Translator | None = None,
        transcriber: Transcriber | None = None,
        speaker: Speaker | None = None,
    ) -> None:
        self._gateway = Gateway(settings)
        self._tasks = Tasks()
        self._connection = Connection(
            Options(
                url=f"{settings.supabase_url}/realtime/v1",
                key=settings.supabase_key.get_secret_value(),
                heartbeat_interval=settings.heartbeat_interval,
                reconnect_delays=settings.reconnect_delays,
                events_per_second=settings.events_per_second,
            ),
            self._tasks,
            self._gateway.access_token,
        )
        self._gateway.on_new_token(self._renew_token)
        self._subscriptions = Subscriptions(
            self._connection,
            self._tasks,
            within=lambda: limit(settings.subscribe_timeout),
            check_usable=self._gateway.check_usable,
            poll_interval=settings.poll_interval,
            buffer_size=settings.buffer_size,
        )
        self._session_rows = SessionRepository(self._gateway)
        self._is_closed = False
        self._checked: tuple[bool | None, str] = (None, "Not checked yet.")
        self.settings = settings
        self.sessions = SessionService(self._session_rows, self._subscriptions)
        messages = MessageRepository(self._gateway)
        self.messages = MessageService(messages, self._subscriptions)
        self.activity = ActivityService(ActivityRepository(self._gateway), self._subscriptions)
        self.queue = QueueService(
            QueueRepository(self._gateway), self._connection, context_turns=settings.context_turns
        )
        self.translation = TranslationService(settings, translator, transcriber=transcriber, speaker=speaker)
        self.interpreter = Interpreter(
            messages, self.activity, self.translation, PartialRepository(self._gateway), settings
        )
        self.translate_text = self.interpreter.translate_text
        self.translate_speech = self.interpreter.translate_speech
        self.stats = StatsService(self._session_rows, self.translation.prices).stats

    @classmethod
    def connect(
        cls,
        *,
        url: str | None = None,
        key: str | None = None,
        translator: Translator | None = None,
        transcriber: Transcriber | None = None,
        speaker: Speaker | None = None,
    ) -> Self:
        """Make a client from the environment, `.env.local` and `.env`, or from a URL and key given as a pair.

        Nothing is sent yet. A client belongs to the event loop that it is first used in.

        Raises:
            ConfigurationError: a setting is malformed.
        """
        return cls(Settings.load(url=url, key=key), translator=translator, transcriber=transcriber, speaker=speaker)

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
            ending.push_async_callback(self._tasks.end)
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
            self._checked = (False, str(error))
            return False
        self._checked = (True, "")
        return True

    @property
    def state(self) -> State:
        """The worst state among the subscriptions: what an app shows its user. Disconnected without any.

        Those to partial translations, which nobody misses, only count where there are no others.
        """
        return self._subscriptions.status.current.state

    def states(self) -> AsyncIterator[StateChange]:
        """Yield the current state, then each change of it with its reason, until the client is closed."""
        return self._subscriptions.status.changes()

    def health(self) -> Health:
        """What the last check found, and how the subscriptions do now."""
        is_connected, reason = self._checked
        return Health(
            is_connected=is_connected,
            reason=reason,
            state=self.state,
            subscriptions=self._subscriptions.health(),
            reconnects=self._connection.reconnects,
            restarts=self._tasks.restarts,
        )

    def timings(self) -> dict[str, Timing]:
        """How long each operation took (ms), by name, such as "sessions.join"."""
        return self._gateway.timings.summary()

    def _renew_token(self, token: str | None) -> None:
        self._tasks.start(partial(self._connection.renew_token, token), "a new access token")


async def check_supabase_connection() -> bool:
    """Whether the environment's Supabase project answers and has the tables. Never raises; the reason is logged."""
    try:
        async with Babelroom(Settings.load()) as babelroom:
            return await babelroom.check_supabase_connection()
    except ConfigurationError as error:
        logger.warning("Supabase connection error: %s", error)
        return False
