"""What Auth refuses, and the two forms in which it says so."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

UNEXPECTED = "Unexpected failure, please check server logs for more information"
_VERSION_HEADER = "X-Supabase-Api-Version"
_VERSION = date(2024, 1, 1)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SERVER_ERROR = 500
_RAISED_BY_USERS = frozenset({"P0001", "23000", "23001", "23502", "23503", "23505", "23514", "23P01"})


class AuthError(Exception):
    """A request that is refused: its HTTP status, the code that clients compare, the message, and further members."""

    def __init__(self, status: int, code: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.members = status, code, message, members


class UnreadableUserError(Exception):
    """A row of auth.users has null where Supabase Auth's own reader expects a value."""


@contextmanager
def failing(message: str) -> Iterator[None]:
    """Answer 500 with this message where the database refuses: a trigger of the project may do so."""
    try:
        yield
    except (psycopg.Error, UnreadableUserError) as exc:
        raise AuthError(_SERVER_ERROR, "unexpected_failure", message) from exc


def unexpected() -> AuthError:
    """What is said of a failure that nobody foresaw."""
    return AuthError(_SERVER_ERROR, "unexpected_failure", UNEXPECTED)


def unsupported(what: str) -> AuthError:
    """A request that the real server would answer.

    The status is the one for what a project has switched off: of a 501 auth-js tells only that it may be tried again.
    """
    return AuthError(422, "not_supported", f"{what} is not supported by supalocal.")


def error_answer(request: web.Request, error: AuthError) -> web.Response:
    """The error in the form that the request's API version asks for: `code` is a word since 2024-01-01."""
    headers = {"x-sb-error-code": error.code}
    if _asks_for_words(request.headers.get(_VERSION_HEADER, "")):
        headers[_VERSION_HEADER] = _VERSION.isoformat()
        body: dict[str, Any] = {"code": error.code, "message": error.message}
        return web.json_response(body | error.members, status=error.status, headers=headers)
    raised = _raised(error)
    if raised is not None:
        status, body = raised
        return web.json_response(body, status=status, headers=headers)
    body = {"code": error.status, "error_code": error.code, "msg": error.message}
    if error.status >= _SERVER_ERROR:
        body["error_id"] = str(uuid4())
    return web.json_response(body | error.members, status=error.status, headers=headers)


def _asks_for_words(version: str) -> bool:
    try:
        return _DATE.fullmatch(version) is not None and date.fromisoformat(version) >= _VERSION
    except ValueError:
        return False


def _raised(error: AuthError) -> tuple[int, dict[str, Any]] | None:
    """Status and body for what the project's own SQL raised; the older form tells Postgres's words."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or cause.sqlstate is None:
        return None
    state, said = cause.sqlstate, cause.diag
    chosen = re.fullmatch(r"PT([1-5]\d\d)", state)
    if state not in _RAISED_BY_USERS and chosen is None:
        return None
    body = {"code": state, "message": said.message_primary, "hint": said.message_hint, "detail": said.message_detail}
    status = int(chosen[1]) if chosen else _SERVER_ERROR
    return status, {name: value for name, value in body.items() if value}
