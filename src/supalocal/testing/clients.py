"""supabase-py clients of a running stack, signed in as each role."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import httpx
from supabase.lib.client_options import SyncClientOptions

from supabase import AsyncClient, AsyncClientOptions, AuthApiError, Client
from supalocal.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from supalocal.stack import Stack

_SECONDS = 60.0  # a request may wait for a lock that another part of the test holds
_ANONYMOUS_DISABLED = "anonymous_provider_disabled"


class Supabase:
    """A running stack with a clean database, and clients of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def anon(self) -> Login:
        """A client that has not signed in."""
        return Login(self.stack.url, self.stack.publishable_key)

    def user(self) -> Login:
        """A client signed in as a new anonymous user: role `authenticated`, an `auth.uid()` of its own."""
        return Login(self.stack.url, self.stack.publishable_key, as_user=True)

    def service_role(self) -> Login:
        """A client with the secret key, which passes over row level security."""
        return Login(self.stack.url, self.stack.secret_key)


class Login:
    """One client for the length of a block: `with` gives supabase-py's `Client`, `async with` its `AsyncClient`.

    With `as_user` the client has signed in as an anonymous user that is new for each block. Raises ProjectError where
    the project does not allow anonymous sign-ins.
    """

    def __init__(self, url: str, key: str, *, as_user: bool = False) -> None:
        self._url, self._key, self._as_user = url, key, as_user

    def __enter__(self) -> Client:
        self._opened = _opened(self._url, self._key, as_user=self._as_user)
        return self._opened.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    async def __aenter__(self) -> AsyncClient:
        self._aopened = _aopened(self._url, self._key, as_user=self._as_user)
        return await self._aopened.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._aopened.__aexit__(kind, error, trace)


# The HTTP client is passed in because supabase-py warns about itself without one. Tokens outlive any test.


@contextmanager
def _opened(url: str, key: str, *, as_user: bool) -> Iterator[Client]:
    with httpx.Client(timeout=_SECONDS, follow_redirects=True) as http:
        client = Client(url, key, SyncClientOptions(httpx_client=http, auto_refresh_token=False))
        if as_user:
            with _explained():
                client.auth.sign_in_anonymously()
        yield client


@asynccontextmanager
async def _aopened(url: str, key: str, *, as_user: bool) -> AsyncIterator[AsyncClient]:
    async with httpx.AsyncClient(timeout=_SECONDS, follow_redirects=True) as http:
        client = AsyncClient(url, key, AsyncClientOptions(httpx_client=http, auto_refresh_token=False))
        try:
            if as_user:
                with _explained():
                    await client.auth.sign_in_anonymously()
            yield client
        finally:
            await client.realtime.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except AuthApiError as exc:
        if exc.code != _ANONYMOUS_DISABLED:
            raise
        raise ProjectError(
            "The project does not allow anonymous sign-ins, and user() makes one: "
            "set enable_anonymous_sign_ins = true below [auth] in supabase/config.toml."
        ) from exc
