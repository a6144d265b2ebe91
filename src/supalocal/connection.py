"""HTTP connections that take broken requests for the caller's mistake: they are answered, and no entry in the log."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError

if TYPE_CHECKING:
    from collections.abc import Callable

    # From a method and a request's target to an answer; None where such a request is no different from a broken one.
    Refusal = Callable[[str, str], web.Response | None]

_MAX_LINE = 256 * 1024  # bytes; a filter may list thousands of ids
_CLIENT_LEFT = 499  # nginx's word for it; nobody reads it
_REQUEST_LINE = re.compile(rb"([A-Za-z0-9_-]+) (/\S*) HTTP/1")


class Connection(web.RequestHandler):
    """One HTTP connection. The parser knows registered methods only; `refuse` has the answer to any other."""

    def __init__(self, server: web.Server, refuse: Refusal) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(server, loop=loop, access_log=None, max_line_size=_MAX_LINE, max_field_size=_MAX_LINE)  # type: ignore[arg-type] # None is allowed
        self._refuse = refuse
        self._line: re.Match[bytes] | None = None

    def data_received(self, data: bytes) -> None:
        # What follows, such as a body, may arrive before the error is handled.
        self._line = _REQUEST_LINE.match(data) or self._line
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request, after which the connection is closed."""
        if isinstance(exc, ConnectionError) and self.transport is None:
            return web.Response(status=_CLIENT_LEFT)
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        line = self._line if isinstance(exc, BadHttpMethod) else None
        answer = self._refuse(line[1].decode(), line[2].decode("latin-1")) if line else None
        if answer is None:
            answer = web.json_response({"message": "This is not HTTP that supalocal can read."}, status=status)
        answer.force_close()
        return answer
