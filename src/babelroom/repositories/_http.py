"""What carries HTTP for supabase-py, at a quarter of the processor time: its requests go to aiohttp as they are.

httpx takes most of a small request's time to parse and copy addresses and headers that supabase-py has just made
(`scripts/bench sends`). So the one method that the queries call is short here; everything else is httpx' own, on the
same kind of connections.
"""

from __future__ import annotations

from typing import Any
from urllib.request import getproxies

import aiohttp
import httpx
from httpx_aiohttp import HttpxAiohttpClient
from yarl import URL

# aiohttp has decoded the body.
_OF_THE_TRANSFER = {b"content-encoding", b"content-length", b"transfer-encoding"}


class AiohttpClient(HttpxAiohttpClient):
    """An httpx client; what a query of supabase-py sends passes httpx by."""

    def __init__(self, *, max_connections: int, **options: Any) -> None:
        super().__init__(limits=httpx.Limits(max_connections=max_connections), **options)
        self._max_connections = max_connections
        self._session: aiohttp.ClientSession | None = None

    async def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        headers = options.get("headers")
        is_query = not options.get("auth") and options.keys() <= {"content", "params", "headers", "auth"}
        if not is_query or not isinstance(headers, httpx.Headers):
            return await super().request(method, url, **options)
        response = await self._send(method, str(url), headers, options.get("params"), options.get("content"))
        for hook in self.event_hooks["response"]:
            await hook(response)
        return response

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
        await super().aclose()

    async def _send(
        self, method: str, url: str, headers: httpx.Headers, params: httpx.QueryParams | None, content: bytes | None
    ) -> httpx.Response:
        address = URL(f"{url}?{params}" if params else url, encoded=True)
        named = {name.decode(): value.decode() for name, value in headers.raw}
        async with self._open_session().request(method, address, headers=named, data=content) as answer:
            body = await answer.read()
        kept = [(name, value) for name, value in answer.raw_headers if name.lower() not in _OF_THE_TRANSFER]
        return httpx.Response(answer.status, headers=kept, content=body, request=_Sent(method, url, headers))

    def _open_session(self) -> aiohttp.ClientSession:
        # Not before it is used: it belongs to the event loop of then.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._max_connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=bool(getproxies()),  # a thread for each request that would look for one
            )
        return self._session


class _Sent(httpx.Request):
    """The request of a response, which is asked for its headers; nothing of it is parsed again."""

    def __init__(self, method: str, url: str, headers: httpx.Headers) -> None:
        self.method = method
        self.headers = headers
        self._address = url

    @property
    def url(self) -> httpx.URL:  # type: ignore[override]
        return httpx.URL(self._address)
