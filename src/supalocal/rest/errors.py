"""Errors as PostgREST answers them: one shape of body, and the HTTP status that an SQLSTATE stands for."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class RestError(Exception):
    """The request cannot be answered: an HTTP status and PostgREST's four-key body."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Any = None,
        hint: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.headers = headers or {}
        self.reason = reason

    @property
    def body(self) -> bytes:
        body = {"code": self.code, "details": self.details, "hint": self.hint, "message": self.message}
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


class SchemaError(RestError):
    """A name is not in the schema cache; the cache may be older than the database."""


# The first entry whose prefix fits decides; the longer ones stand first.
_STATUS_OF_SQLSTATE = (
    ("23503", 409),
    ("23505", 409),
    ("25006", 405),
    ("42883", 404),
    ("42P01", 404),
    ("42P17", 500),
    ("53400", 500),
    ("57P01", 503),
    ("P0001", 400),
    ("21000", 500),
    ("08", 503),
    ("09", 500),
    ("0L", 403),
    ("0P", 403),
    ("25", 500),
    ("28", 403),
    ("2D", 500),
    ("38", 500),
    ("39", 500),
    ("3B", 500),
    ("40", 500),
    ("53", 503),
    ("54", 500),
    ("55", 500),
    ("57", 500),
    ("58", 500),
    ("F0", 500),
    ("HV", 500),
    ("P0", 500),
    ("XX", 500),
)
_HEADERS_OF_STATUS = {401: {"WWW-Authenticate": "Bearer"}}
# An answer below 200 would only announce another one, for which its client would wait.
FINAL_STATUSES = range(200, 1000)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def database_error(
    sqlstate: str, message: str, details: str | None, hint: str | None, *, is_anonymous: bool
) -> RestError:
    """What an error of PostgreSQL is to the client; `is_anonymous` says whether the role is the anonymous one."""
    if sqlstate == "PGRST":
        return _raised(message, details)
    if sqlstate.startswith("PT"):
        return _custom_status(sqlstate, message, details, hint)
    status = _status(sqlstate, message, is_anonymous=is_anonymous)
    return RestError(status, sqlstate, message, details, hint, headers=_HEADERS_OF_STATUS.get(status))


def _status(sqlstate: str, message: str, *, is_anonymous: bool) -> int:
    if sqlstate == "42501":
        return 401 if is_anonymous else 403
    if sqlstate == "22023" and message.startswith("role") and message.endswith("does not exist"):
        return 401
    if sqlstate == "42883" and message.startswith("function xmlagg("):
        return 406
    if sqlstate == "21000" and message.endswith("requires a WHERE clause"):
        return 400
    return next((status for prefix, status in _STATUS_OF_SQLSTATE if sqlstate.startswith(prefix)), 400)


def _custom_status(sqlstate: str, message: str, details: str | None, hint: str | None) -> RestError:
    digits = sqlstate[2:]
    if not (digits.isascii() and digits.isdigit()):
        return RestError(500, sqlstate, message, details, hint)
    status = int(digits)
    if status not in FINAL_STATUSES:
        return RestError(500, sqlstate, message, details, hint)
    headers = _HEADERS_OF_STATUS.get(status)
    return RestError(status, sqlstate, message, details, hint, headers=headers, reason=message)


_MESSAGE_SHAPE = (
    "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'."
)
_DETAIL_SHAPE = (
    "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'."
)


def _raised(message: str, detail: str | None) -> RestError:
    # `raise sqlstate 'PGRST'` lets SQL write the whole answer.
    said = _object(message, required={"code": str, "message": str}, allowed={"details": str, "hint": str})
    if said is None:
        return _unparsable(f"Invalid JSON value for MESSAGE: '{message}'", _MESSAGE_SHAPE)
    if detail is None:
        return _unparsable("DETAIL is missing in the RAISE statement", _DETAIL_SHAPE)
    how = _object(detail, required={"status": int, "headers": dict}, allowed={"status_text": str})
    if how is None or how["status"] not in FINAL_STATUSES or not are_headers(how["headers"].items()):
        return _unparsable(f"Invalid JSON value for DETAIL: '{detail}'", _DETAIL_SHAPE)
    return RestError(
        how["status"],
        said["code"],
        said["message"],
        said.get("details"),
        said.get("hint"),
        headers=how["headers"],
        reason=how.get("status_text"),
    )


def are_headers(pairs: Iterable[tuple[str, Any]]) -> bool:
    """Whether these names and values, which SQL wrote, can stand in an HTTP answer."""
    return all(
        isinstance(value, str) and _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
        for name, value in pairs
    )


def _object(text: str, *, required: dict[str, type], allowed: dict[str, type]) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    fits = all(type(value.get(key)) is kind for key, kind in required.items())
    fits = fits and all(type(value.get(key)) in {kind, type(None)} for key, kind in allowed.items())
    return value if fits else None


def _unparsable(details: str, hint: str) -> RestError:
    message = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"
    return RestError(500, "PGRST121", message, details, hint)
