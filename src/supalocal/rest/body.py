"""Request bodies: JSON, CSV and forms become one JSON text and the set of its keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from supalocal.rest.csv_lines import csv_rows
from supalocal.rest.errors import RestError
from supalocal.rest.media import canonical_name
from supalocal.rest.query import split_query

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON = "application/json"
# Told from any other text by their identity.
_AN_OBJECT, _A_LIST = "{an object}", "[a list]"
CSV = "text/csv"
FORM = "application/x-www-form-urlencoded"
RAW_TYPES = ("text/plain", "text/xml", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Payload:
    """A body: `text` is JSON (or raw, for a function that takes it whole); `keys` are its columns or arguments."""

    text: str
    keys: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...] | None = None  # of a form, for a function

    @property
    def is_object(self) -> bool:
        return self.text.lstrip(" \t\r\n").startswith("{")

    @property
    def shape(self) -> Payload:
        """What stands for every body of these keys where only its shape matters; `fill` puts it in."""
        return Payload(_AN_OBJECT if self.is_object else _A_LIST, self.keys)

    def fill(self, values: tuple[str | None, ...]) -> tuple[str | None, ...]:
        """The values, with this body in the place of its shape."""
        return tuple(self.text if value is _AN_OBJECT or value is _A_LIST else value for value in values)


def media_name(content_type: str | None) -> str:
    return JSON if content_type is None else canonical_name(content_type)


def table_payload(raw: bytes, content_type: str, columns: tuple[str, ...] | None) -> Payload:
    """The rows to write; raises PGRST102 if they cannot be read. With `columns` PostgreSQL reads the JSON."""
    if content_type == JSON:
        return _json_payload(raw, columns)
    if content_type == CSV:
        return _written(csv_rows(raw))
    if content_type == FORM:
        return _written(dict(_form(raw)))
    raise _unacceptable(content_type)


def call_payload(raw: bytes, content_type: str, columns: tuple[str, ...] | None) -> Payload:
    """The arguments of a function call; no body at all means no arguments."""
    if content_type == JSON:
        return _json_payload(raw if raw or columns is not None else b"{}", columns)
    if content_type == CSV:
        return _written(csv_rows(raw))
    if content_type == FORM:
        arguments = tuple(_form(raw))
        return Payload("", tuple(sorted({name for name, _ in arguments})), arguments)
    if content_type in RAW_TYPES:
        # Bytes travel as PostgreSQL writes them in text.
        return Payload(f"\\x{raw.hex()}" if content_type == "application/octet-stream" else _decoded(raw), ())
    raise _unacceptable(content_type)


def _json_payload(raw: bytes, columns: tuple[str, ...] | None) -> Payload:
    text = _decoded(raw)
    if columns is not None:
        return Payload(text, columns)
    try:
        value = json.loads(text, parse_constant=_not_json)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no letter
    except (ValueError, RecursionError) as exc:
        raise _invalid("Empty or invalid json") from exc
    return Payload(text, _keys(value)) if isinstance(value, dict) or (value and isinstance(value, list)) else _NO_ROWS


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise _invalid("Empty or invalid json") from exc


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _written(rows: dict[str, str] | list[dict[str, str | None]]) -> Payload:
    return Payload(json.dumps(rows, ensure_ascii=False), _keys(rows)) if rows or isinstance(rows, dict) else _NO_ROWS


def _keys(value: dict[str, Any] | Sequence[Any]) -> tuple[str, ...]:
    rows = [value] if isinstance(value, dict) else value
    if not all(isinstance(row, dict) for row in rows) or any(row.keys() != rows[0].keys() for row in rows):
        raise _invalid("All object keys must match")
    return tuple(sorted(rows[0]))


def _form(raw: bytes) -> list[tuple[str, str]]:
    return [(name, value or "") for name, value in split_query(raw.decode(errors="replace"))]


def _invalid(message: str) -> RestError:
    return RestError(400, "PGRST102", message)


def _unacceptable(content_type: str) -> RestError:
    return _invalid(f"Content-Type not acceptable: {content_type}")


_NO_ROWS = Payload("[]", ())
