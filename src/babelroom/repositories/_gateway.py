"""The only importer of supabase and postgrest: calls, retries, times, and translates their errors, in one place."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol, TypeVar

import aiohttp
import httpx
from postgrest import APIError

from babelroom.attempts import Attempts
from babelroom.config import Settings
from babelroom.deadlines import limit
from babelroom.errors import (
    BabelroomError,
    ClientClosed,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    MissingCredentials,
    PermissionDenied,
    SchemaMissing,
    SessionExpired,
    SessionNotFound,
    SupabaseError,
    Unavailable,
    is_transient,
)
from babelroom.repositories._http import AiohttpClient
from babelroom.timings import Timings
from supabase import AsyncClient, AsyncClientOptions, AuthError

logger = logging.getLogger("babelroom")

T = TypeVar("T")

_status: ContextVar[int | None] = ContextVar("status", default=None)

_TOKEN_SECONDS = 5.0
"""Seconds that refreshing an access token may take."""

# Of the deadline: an attempt that begins later would be cut before its answer, and tell less than the one before it.
_LAST_START = 0.8
# Seconds between attempts, a quarter more or less.
_PAUSES = (0.2, 0.3, 0.5, 0.9, 1.7, 2.0)

_BY_CODE: dict[str, type[SupabaseError]] = {
    "PT404": SessionNotFound,
    "PT410": SessionExpired,
    "PT409": Conflict,
    "23505": Conflict,
    "42501": PermissionDenied,
    "42P01": SchemaMissing,
    "42883": SchemaMissing,
    "42703": SchemaMissing,
    "PGRST202": SchemaMissing,
    "PGRST204": SchemaMissing,
    "PGRST205": SchemaMissing,
    "40001": Unavailable,  # serialization failure: undone whole
    "40P01": Unavailable,  # deadlock: undone whole
    "55P03": Unavailable,  # lock timeout
    "PGRST000": Unavailable,
    "PGRST001": Unavailable,
    "PGRST002": Unavailable,
    "PGRST003": Unavailable,
}
_BY_CLASS = {"08": Unavailable, "53": Unavailable, "57P": Unavailable}  # connection, resources, shutdown
_BY_STATUS: dict[int, type[SupabaseError]] = {
    401: PermissionDenied,
    403: PermissionDenied,
    **dict.fromkeys((429, 502, 503, 504, 520, 521, 522, 523, 524), Unavailable),
}


_TOKEN_EXPIRED = "PGRST303"  # noqa: S105  a code


class Request(Protocol):
    """What a builder has made so far."""

    headers: httpx.Headers


class Query(Protocol):
    """What supabase-py's builders have in common."""

    request: Any
    """A Request; the builders disagree on its type."""

    async def execute(self) -> Any: ...


class Gateway:
    """One pooled connection to one Supabase project."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = _client(settings)
        self._closed = False
        self._renewing = asyncio.Lock()
        self.timings = Timings()
        self.supabase = AsyncClient(
            settings.supabase_url,
            settings.supabase_key.get_secret_value(),
            AsyncClientOptions(
                persist_session=False,
                postgrest_client_retry=False,
                httpx_client=self._http,
            ),
        )

    async def run(self, operation: str, query: Query, parse: Callable[[Any], T], *, idempotent: bool) -> T:
        """Send the query and return its data, parsed.

        Passing trouble is retried with exponential backoff and jitter until the deadline. A query that is not
        idempotent is sent again only when it cannot have reached the server, or was refused for an expired token.

        Raises:
            BabelroomError: the mapped error, see errors.py.
        """
        may_retry = is_transient if idempotent else _is_unsent
        return await self._attempt(operation, partial(self._execute, query, parse), may_retry)

    async def broadcast(self, operation: str, topic: str, event: str, payload: dict[str, Any]) -> None:
        """Send the payload, once, to whoever has joined the public topic; whether anybody has is not said.

        Raises:
            BabelroomError: the mapped error, see errors.py.
        """
        message = {"topic": topic, "event": event, "payload": payload, "private": False}
        await self._attempt(operation, partial(self._broadcast, message), _never)

    def check_usable(self) -> None:
        """Raise ClientClosed after close(), MissingCredentials while dummy values stand in."""
        if self._closed:
            raise ClientClosed
        if not self._settings.has_credentials:
            raise MissingCredentials

    async def access_token(self) -> str | None:
        """The signed-in user's, refreshed if it is about to expire; None without a user.

        Raises:
            Exception: it could not be refreshed. The key is no substitute: it shows what an anonymous user may see.
        """
        async with asyncio.timeout(_TOKEN_SECONDS):
            session = await self.supabase.auth.get_session()
        return session.access_token if session else None

    def on_new_token(self, tell: Callable[[str | None], None]) -> None:
        """Call with the access token whenever a user signs in or out, or has another token."""
        self.supabase.auth.on_auth_state_change(lambda _, session: tell(session.access_token if session else None))

    async def close(self) -> None:
        self._closed = True
        refresh = self.supabase.auth._refresh_token_timer  # noqa: SLF001  nothing else ends its task
        if refresh is not None:
            refresh.cancel()
        await self._http.aclose()

    async def _attempt(
        self, operation: str, attempt: Callable[[], Awaitable[T]], may_retry: Callable[[BabelroomError], bool]
    ) -> T:
        """Make attempts within the deadline, and record how long they took."""
        self.check_usable()
        seconds = limit(self._settings.deadline)
        start = time.perf_counter()
        attempts = Attempts(seconds * _LAST_START, may_retry, _PAUSES)
        failed = True
        try:
            async with asyncio.timeout(seconds):
                result = await attempts.make(attempt)
            failed = False
        except TimeoutError as error:
            raise DeadlineExceeded(f"{DeadlineExceeded.__doc__} ({operation}, {seconds:g} s)") from error
        finally:
            took = time.perf_counter() - start
            self.timings.record(operation, seconds=took, retries=attempts.retries, failed=failed)
        return result

    async def _broadcast(self, message: dict[str, Any]) -> None:
        headers = {**self.supabase.options.headers, "Content-Type": "application/json"}
        try:
            response = await self._http.request(
                "POST",
                f"{self._settings.supabase_url}/realtime/v1/api/broadcast",
                headers=httpx.Headers(headers),
                content=json.dumps({"messages": [message]}).encode(),
            )
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error
        if not response.is_success:
            raise _translated(APIError({"message": f"Realtime took no broadcast: {response.text:.200}"}))

    async def _execute(self, query: Query, parse: Callable[[Any], T]) -> T:
        try:
            return await _execute(query, parse)
        except SupabaseError as error:
            if error.code != _TOKEN_EXPIRED or not await self._renew_token(query.request):
                raise
        return await _execute(query, parse)

    async def _renew_token(self, refused: Request) -> bool:
        """Give a request that was refused for its token a new one; False: there is none.

        The library refreshes by a timer, which a machine that slept, or an outage, makes late.
        """
        headers = self.supabase.options.headers
        sent: str | None = refused.headers.get("Authorization")
        async with self._renewing:
            if headers.get("Authorization") == sent:
                try:
                    async with asyncio.timeout(_TOKEN_SECONDS):
                        await self.supabase.auth.refresh_session()
                except (AuthError, httpx.HTTPError, aiohttp.ClientError, OSError) as error:
                    logger.warning("The access token could not be refreshed: %s", error)
        refused.headers["Authorization"] = headers["Authorization"]
        return headers["Authorization"] != sent


def _client(settings: Settings) -> httpx.AsyncClient:
    options: dict[str, Any] = {
        "timeout": httpx.Timeout(None),  # the deadline of each call decides
        "follow_redirects": True,
        "event_hooks": {"response": [_remember_status]},
    }
    if settings.transport == "aiohttp":
        return AiohttpClient(max_connections=settings.max_connections, **options)
    return httpx.AsyncClient(limits=httpx.Limits(max_connections=settings.max_connections), **options)


async def _execute(query: Query, parse: Callable[[Any], T]) -> T:
    try:
        return parse((await query.execute()).data)
    except (APIError, httpx.HTTPError, aiohttp.ClientError, OSError) as error:
        raise _translated(error) from error
    except (ValueError, TypeError, httpx.InvalidURL) as error:
        # Some proxy's page instead of Supabase's JSON, or a row that is none of ours.
        raise SupabaseError(f"The answer is not what babelroom's tables give: {error!s:.200}") from error


def _never(_: BabelroomError) -> bool:
    return False


def _is_unsent(error: BaseException) -> bool:
    return isinstance(error, ConnectionFailed) and not error.may_have_arrived


async def _remember_status(response: httpx.Response) -> None:
    # supabase-py's error keeps the code alone.
    _status.set(response.status_code)


def _translated(error: Exception) -> BabelroomError:
    if not isinstance(error, APIError):
        # httpx-aiohttp makes a ConnectTimeout of every lost connection: aiohttp's own error, its cause, tells which.
        unsent = aiohttp.ClientConnectorError | httpx.ConnectError
        is_unsent = isinstance(error, unsent) or isinstance(error.__cause__, unsent)
        reason = f"{ConnectionFailed.__doc__} ({error or type(error).__name__})"
        return ConnectionFailed(reason, may_have_arrived=not is_unsent)
    code, status = error.code or "", _status.get()
    kind = (
        _BY_CODE.get(code)
        or next((kind for start, kind in _BY_CLASS.items() if code.startswith(start)), None)
        or _BY_STATUS.get(status or 0, SupabaseError)
    )
    message = error.message
    if kind in (PermissionDenied, SchemaMissing):
        message = f"{kind.__doc__} ({message})"
    return kind(
        message,
        code=error.code,
        status=status,
        details=None if error.details is None else str(error.details),
        hint=error.hint,
    )
