"""Turns logged changes into what subscribers may get: values rendered as JSON, and the payload around them."""

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.pgoutput import Action, Relation, Unchanged, Value
from supalocal.realtime.polls import LoggedChange
from supalocal.realtime.table import Column, Table

RECORD_LIMIT_BYTES = 1_048_576
SHORT_VALUE_BYTES = 64
TOO_LARGE = "Error 413: Payload Too Large"
UNAUTHORIZED = "Error 401: Unauthorized"
NO_PRIMARY_KEY = "Error 400: Bad Request, no primary key"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_TIMESTAMPTZ = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00")
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# What one column, and one change, cost in the log text that the real server measures.
_COLUMN_OVERHEAD, _CHANGE_OVERHEAD = 52, 180
# Bytes that one character may take in JSON, and those around a string, which the overhead holds already.
_LONGEST_ESCAPE, _QUOTES = 6, 2

Image = dict[str, str | None]
Row = dict[str, str]
"""Values as JSON texts, by column."""


@dataclass(frozen=True, slots=True)
class Images:
    """A change's rows in text form. `filterable` is what filters see, `old` what the replica identity holds."""

    filterable: Image
    record: Image | None
    old: Image | None


@dataclass(frozen=True, slots=True)
class Change:
    """A change, rendered. `record` is None for DELETE, `old_record` for INSERT."""

    table: Table
    action: Action
    xid: int
    commit_timestamp: str
    is_oversized: bool
    filterable: Row
    record: Row | None
    old_record: Row | None


def images(change: LoggedChange) -> Images:
    """Return the rows of a change as the real server's log reader sees them."""
    relation, row = change.relation, change.row
    new = _image(relation, row.new) if row.new is not None else None
    old = _old_image(relation, row.old, new)
    if row.action is Action.INSERT:
        return Images(new or {}, new, None)
    if row.action is Action.DELETE:
        return Images(old, None, old)
    # An unchanged out-of-line value is no part of the new row, but the record still shows it if the old one has it.
    whole = {**old, **(new or {})}
    return Images(new or {}, new if whole == new else whole, old)


def _image(relation: Relation, values: tuple[Value, ...]) -> Image:
    pairs = zip(relation.columns, values, strict=True)
    return {column.name: value for column, value in pairs if not isinstance(value, Unchanged)}


def _old_image(relation: Relation, values: tuple[Value, ...] | None, new: Image | None) -> Image:
    """Return the identity's old values; an update that leaves them alone logs none, so the new ones serve."""
    image = (new or {}) if values is None else _image(relation, values)
    return {
        column.name: image[column.name] for column in relation.columns if column.is_identity and column.name in image
    }


def commit_timestamp(committed_at: int) -> str:
    """Return the commit time (microseconds since 2000) as sent: UTC, milliseconds, `Z`."""
    moment = _EPOCH + timedelta(microseconds=committed_at)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


async def render(connection: psycopg.AsyncConnection, logged: Iterable[tuple[LoggedChange, Table]]) -> list[Change]:
    """Return the changes with every value as JSON; one query renders what needs the database."""
    rows = [(change, table, images(change)) for change, table in logged]
    asked = {
        (column.sql_type, value)
        for _, table, parts in rows
        for column, value in _values(table, parts)
        if value is not None and _plain(column, value) is None
    }
    answers = await _ask(connection, asked)
    return [_rendered(change, table, parts, answers) for change, table, parts in rows]


def _values(table: Table, parts: Images) -> Iterable[tuple[Column, str | None]]:
    for image in (parts.filterable, parts.record, parts.old):
        if image is not None:
            yield from ((column, image[column.name]) for column in table.columns if column.name in image)


async def _ask(connection: psycopg.AsyncConnection, asked: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if not asked:
        return {}
    by_type: dict[str, list[str]] = {}
    for sql_type, value in asked:
        by_type.setdefault(sql_type, []).append(value)
    cursor = await connection.execute(queries.rendering(list(by_type)).encode(), list(by_type.values()))
    answers = await cursor.fetchone() or ()
    return {
        (sql_type, value): text if text is not None else "null"
        for (sql_type, values), texts in zip(by_type.items(), answers, strict=True)
        for value, text in zip(values, texts, strict=True)
    }


def _rendered(change: LoggedChange, table: Table, parts: Images, answers: dict[tuple[str, str], str]) -> Change:
    def row(image: Image) -> Row:
        return {
            column.name: _json(column, image[column.name], answers) for column in table.columns if column.name in image
        }

    is_oversized = _is_oversized(table, parts)
    filterable = row(parts.filterable)

    def shown(image: Image | None) -> Row | None:
        if image is None:
            return None
        if is_oversized:
            return row(_without_nulls(image))
        return filterable if image is parts.filterable else row(image)

    return Change(
        table=table,
        action=change.row.action,
        xid=change.begin.xid,
        commit_timestamp=commit_timestamp(change.begin.committed_at),
        is_oversized=is_oversized,
        filterable=filterable,
        record=shown(parts.record),
        old_record=shown(parts.old),
    )


def _without_nulls(image: Image) -> Image:
    """Return what remains of an oversized row: no SQL null has a length that the real server finds short enough."""
    return {name: value for name, value in image.items() if value is not None}


def _json(column: Column, value: str | None, answers: dict[tuple[str, str], str]) -> str:
    if value is None:
        return "null"
    plain = _plain(column, value)
    return answers[column.sql_type, value] if plain is None else plain


def _plain(column: Column, value: str) -> str | None:
    """Return the JSON of a value whose text form settles it, or None when the database must say."""
    renderer = _RENDERERS.get(column.sql_type)
    return renderer(value) if renderer else None


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _same(value: str) -> str:
    return value


def _boolean(value: str) -> str:
    return "true" if value == "t" else "false"


def _number(value: str) -> str | None:
    if value in {"NaN", "Infinity", "-Infinity"}:
        return "null"
    return value if _NUMBER.fullmatch(value) and value != "-0" else None


def _timestamptz(value: str) -> str | None:
    match = _TIMESTAMPTZ.fullmatch(value)
    return f'"{match[1]}T{match[2]}+00:00"' if match else None


def _timestamp(value: str) -> str | None:
    match = _TIMESTAMP.fullmatch(value)
    return f'"{match[1]}T{match[2]}"' if match else None


def _date(value: str) -> str | None:
    return f'"{value}"' if _DATE.fullmatch(value) else None


def _bytes(value: str) -> str:
    """Return the hex digits alone, without their prefix, as the real server's log reader does."""
    return f'"{value[2:]}"'


_RENDERERS: dict[str, Callable[[str], str | None]] = {
    "smallint": _same,
    "integer": _same,
    "bigint": _same,
    "jsonb": _same,
    "boolean": _boolean,
    "text": _text,
    "character varying": _text,
    "uuid": _text,
    "numeric": _number,
    "real": _number,
    "double precision": _number,
    "timestamp with time zone": _timestamptz,
    "timestamp without time zone": _timestamp,
    "date": _date,
    "bytea": _bytes,
}


def _is_oversized(table: Table, parts: Images) -> bool:
    """Say whether the change takes more than the limit in the log text that the real server measures."""
    shown = [image for image in (parts.record and parts.filterable, parts.old) if image is not None]
    names = {column.name: len(column.name) + len(column.sql_type) + _COLUMN_OVERHEAD for column in table.columns}
    rest = RECORD_LIMIT_BYTES - _CHANGE_OVERHEAD
    rest -= sum(names.get(name, _COLUMN_OVERHEAD) for image in shown for name in image)
    values = [value or "null" for image in shown for value in image.values()]
    if sum(map(len, values)) * _LONGEST_ESCAPE <= rest:
        return False
    return sum(len(_text(value).encode()) - _QUOTES for value in values) > rest


def payload(
    change: Change, columns: Collection[str], error: str | None = None, *, listed: Collection[str] | None = None
) -> str:
    """Return the `data` of a `postgres_changes` message, with only these columns, as JSON text.

    `listed` are the columns that it names, where they are others than those whose values it has.
    `error` is one of the texts for which the real server sends no values at all.
    """
    errors = error or (TOO_LARGE if change.is_oversized else None)
    shown = [] if error else _among(change, columns)
    parts = {
        "type": f'"{change.action}"',
        "schema": _text(change.table.schema),
        "table": _text(change.table.name),
        "commit_timestamp": "null" if error else f'"{change.commit_timestamp}"',
        "columns": _column_list([] if error else _among(change, columns if listed is None else listed)),
        "errors": f"[{_text(errors)}]" if errors else "null",
    }
    if change.record is not None:
        parts["record"] = _object(change.record, shown, change)
    if change.old_record is not None:
        parts["old_record"] = _object(_shown_old(change), shown, change)
    return "{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}"


def text_of(raw: str) -> str | None:
    """Return a JSON value as `#>> '{}'` gives it: strings without quotes, null as none."""
    if raw == "null":
        return None
    return str(json.loads(raw)) if raw.startswith('"') else raw


def _among(change: Change, names: Collection[str]) -> list[Column]:
    return [column for column in change.table.columns if column.name in names]


def _column_list(columns: list[Column]) -> str:
    return "[" + ",".join(f'{{"name":{_text(c.name)},"type":{_text(c.type_name)}}}' for c in columns) + "]"


def _shown_old(change: Change) -> Row:
    """Return the old row; under row level security a DELETE shows the key alone, as nobody checks who saw the row."""
    old = change.old_record or {}
    if change.action is Action.DELETE and change.table.has_row_security:
        return {column.name: old[column.name] for column in change.table.key if column.name in old}
    return old


def _object(row: Row, columns: list[Column], change: Change) -> str:
    pairs = [(column.name, row[column.name]) for column in columns if column.name in row]
    if change.is_oversized:
        pairs = [(name, value) for name, value in pairs if len(value.encode()) <= SHORT_VALUE_BYTES]
    return "{" + ",".join(f"{_text(name)}:{value}" for name, value in pairs) + "}"
