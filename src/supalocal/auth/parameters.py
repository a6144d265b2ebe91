"""A request's JSON body, read as strictly as Supabase Auth reads it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supalocal.auth.errors import AuthError

if TYPE_CHECKING:
    from aiohttp import web

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_KINDS: dict[type, str] = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The members of a body. A null is as good as no member; a value of another type is a `bad_json` error."""

    given: dict[str, Any]

    def text(self, name: str) -> str:
        """The string, '' where there is none."""
        return self.optional_text(name) or ""

    def optional_text(self, name: str) -> str | None:
        """The string; None where there is none."""
        value: str | None = self._typed(name, str, "string")
        return value and _whole(value)

    def flag(self, name: str) -> bool:
        """The boolean, False where there is none."""
        return bool(self._typed(name, bool, "bool"))

    def members(self, name: str) -> dict[str, Any] | None:
        """The object; None where there is none."""
        value: dict[str, Any] | None = self._typed(name, dict, "map[string]interface {}")
        return value and json.loads(_whole(json.dumps(value, ensure_ascii=False)))

    def _typed(self, name: str, wanted: type, called: str) -> Any:
        value = self.given.get(name)
        if value is not None and type(value) is not wanted:
            kind = _KINDS[type(value)]
            raise _unreadable(f"json: cannot unmarshal {kind} into Go struct field .{name} of type {called}")
        return value


async def read_parameters(request: web.Request) -> Parameters:
    """The request's body. Raises AuthError for anything but a JSON object."""
    body = (await request.read()).strip()
    if _NUL.search(body):
        raise _unreadable("Postgres cannot store \\u0000")
    try:
        given = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise _unreadable(_complaint(body)) from exc
    if given is not None and not isinstance(given, dict):
        raise _unreadable(f"json: cannot unmarshal {_KINDS[type(given)]} into Go value")
    return Parameters(given or {})


def _whole(text: str) -> str:
    """The text without lone surrogates, which can be neither hashed nor stored; Go's decoder replaces them too."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _complaint(body: bytes) -> str:
    text = body.decode(errors="replace")
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as exc:
        if exc.pos < len(text):
            return f"invalid character {text[exc.pos]!r} looking for beginning of value"
    except (ValueError, RecursionError):
        return "invalid value"
    return "unexpected end of JSON input"


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _unreadable(complaint: str) -> AuthError:
    return AuthError(400, "bad_json", f"Could not parse request body as JSON: {complaint}")
