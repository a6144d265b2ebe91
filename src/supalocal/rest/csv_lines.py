"""CSV as PostgREST reads it: RFC 4180, blank lines ignored, and nothing forgiven but lines that are too short."""

from __future__ import annotations

import re

from supalocal.rest.errors import RestError
from supalocal.rest.haskell import shown

_FIELD = re.compile(r'"((?:[^"]|"")*)"|([^",\r\n]*)')
_END_OF_HEADER = re.compile(r"\r?\n|\r")
_END_OF_LINE = re.compile(r"\r?\n")
_MOST_SHOWN = 100  # characters of what cannot be read


def csv_rows(raw: bytes) -> list[dict[str, str | None]]:
    """A row for each line below the first, by the names in that one; raises PGRST102 for what cannot be read."""
    text = raw.decode("latin-1")  # byte by byte, as errors show it
    header, position = _line(text, 0)
    end = _END_OF_HEADER.match(text, position)
    if end is None:
        raise _unreadable("Failed reading: satisfy" if text[position:] else "not enough input", text[position:])
    rows = []
    while end is not None:
        line, position = _line(text, end.end())
        if line != [""]:
            rows.append(dict(zip(map(_decoded, header), map(_cell, line), strict=False)))
        end = _END_OF_LINE.match(text, position)
    if text[position:]:
        raise _unreadable("endOfInput", text[position:])
    if any(row.keys() != rows[0].keys() for row in rows):
        raise RestError(400, "PGRST102", "All lines must have same number of fields")
    return rows


def _line(text: str, position: int) -> tuple[list[str], int]:
    """The fields that start there, and where they end."""
    fields: list[str] = []
    while True:
        field = _FIELD.match(text, position)
        quoted, plain = field.groups() if field else (None, "")
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        position = field.end() if field else position
        if text[position : position + 1] != ",":
            return fields, position
        position += 1


def _cell(field: str) -> str | None:
    return None if field == "NULL" else _decoded(field)


def _decoded(field: str) -> str:
    return field.encode("latin-1").decode(errors="replace")


def _unreadable(problem: str, rest: str) -> RestError:
    told = f"{rest[:_MOST_SHOWN]} (truncated)" if len(rest) > _MOST_SHOWN else shown(rest)
    return RestError(400, "PGRST102", f"parse error ({problem}) at {told}")
