"""The error bodies of Supabase Auth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.web import Request

_VERSION_HEADER = "X-Supabase-Api-Version"
_VERSION = "2024-01-01"


def refusal(request: Request, *, status: int, code: str, message: str) -> web.Response:
    """An error in the form that the request's API version asks for: `code` is a word since 2024-01-01."""
    headers = {"x-sb-error-code": code}
    body: dict[str, Any] = {"code": status, "error_code": code, "msg": message}
    if request.headers.get(_VERSION_HEADER, "") >= _VERSION:
        headers[_VERSION_HEADER] = _VERSION
        body = {"code": code, "message": message}
    return web.json_response(body, status=status, headers=headers)
