"""Who listens to what: the registry of subscriptions, and the checks that a binding must pass to become one."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.filters import Binding, Filter, Operator
from supalocal.realtime.subscriber import Subscriber
from supalocal.realtime.tokens import Identity

MAX_IN_VALUES = 100
_NUL = 'ERROR 22021 (character_not_in_repertoire) invalid byte sequence for encoding "UTF8": 0x00'
_ISNT = "Unable to subscribe to changes with given parameters. "
_NOT_ENABLED = f"{_ISNT}Please check Realtime is enabled for the given connect parameters: "
_EXCEPTION = f"{_ISNT}An exception happened so please check your connect parameters: "
_IS_KEYWORDS = frozenset({"null", "true", "false", "unknown"})
_PATTERN_OPERATORS = {Operator.LIKE: "~~", Operator.ILIKE: "~~", Operator.MATCH: "~", Operator.IMATCH: "~*"}
# Extra fields of a database error that the real server's driver prints, in its order.
_METADATA = {"hint": "message_hint", "table": "table_name", "column": "column_name", "constraint": "constraint_name"}


class SubscribeError(Exception):
    """A binding that the database cannot serve; the text goes to the client."""


class _RefusedError(Exception):
    """A check that the real server makes in the database and reports as a raised exception."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What had been committed at a moment: all transactions before `xmax` but those still `running` (xid8)."""

    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Read PostgreSQL's pg_snapshot, `xmin:xmax:xip,...`."""
        _, xmax, running = text.split(":")
        return cls(int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))

    def sees(self, xid: int) -> bool:
        """Whether the transaction, known by the low 32 bits of its number, had committed."""
        age = (self.xmax - xid) & 0xFFFFFFFF
        return 0 < age < 1 << 31 and self.xmax - age not in self.running


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One binding of one channel (its `position` in the join), as the identity that the channel had then.

    `tables` are the oids of those that it selected at that time: a table made or renamed later is another matter.
    What `since` sees is not sent: it was committed before the join, and the stream had only not come to it yet.
    """

    channel: Subscriber
    position: int
    binding: Binding
    identity: Identity
    tables: frozenset[int]
    since: Snapshot | None = None


class Registry:
    """All subscriptions, found by the table that changed."""

    def __init__(self) -> None:
        self._by_channel: dict[Subscriber, list[Subscription]] = {}
        self._by_table: dict[int, list[Subscription]] = {}

    def replace(self, channel: Subscriber, subscriptions: list[Subscription]) -> None:
        """Make these the channel's subscriptions; an empty list removes it."""
        if subscriptions:
            self._by_channel[channel] = subscriptions
        else:
            self._by_channel.pop(channel, None)
        self._by_table.clear()

    def holds(self, channel: Subscriber) -> bool:
        """Whether the channel has subscriptions."""
        return channel in self._by_channel

    def matching(self, oid: int) -> list[Subscription]:
        """Return the subscriptions to the table, in the order they were made."""
        found = self._by_table.get(oid)
        if found is None:
            found = [one for group in self._by_channel.values() for one in group if oid in one.tables]
            self._by_table[oid] = found
        return found

    def channels(self) -> list[Subscriber]:
        """Return the channels with subscriptions."""
        return list(self._by_channel)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    sql_type: str
    is_selectable: bool
    operators: list[str]


async def current_snapshot(connection: psycopg.AsyncConnection) -> Snapshot:
    """Return what has been committed by now."""
    cursor = await connection.execute(queries.SNAPSHOT)
    row: Any = await cursor.fetchone()
    return Snapshot.parse(row[0])


async def published_tables(connection: psycopg.AsyncConnection, publication: str) -> frozenset[int]:
    """Return what the publication publishes."""
    cursor = await connection.execute(queries.PUBLISHED_TABLES, [publication])
    return frozenset(oid for (oid,) in await cursor.fetchall())


async def check_bindings(
    connection: psycopg.AsyncConnection, publication: str, bindings: Sequence[Binding], role: str
) -> list[frozenset[int]]:
    """Return the tables that each binding selects; SubscribeError names the last one that the database cannot serve."""
    selected = []
    for binding in reversed(bindings):
        try:
            selected.append(await _check(connection, publication, binding, role))
        except _RefusedError as exc:
            raise SubscribeError(f"{_EXCEPTION}{binding.describe()}. Exception: {_raised(exc)}") from exc
        except psycopg.OperationalError:
            raise
        except psycopg.Error as exc:
            raise SubscribeError(f"{_EXCEPTION}{binding.describe()}. Exception: {_told(exc)}") from exc
    return selected[::-1]


async def _check(connection: psycopg.AsyncConnection, publication: str, binding: Binding, role: str) -> frozenset[int]:
    cursor = await connection.execute(
        queries.PUBLISHED,
        {
            "role": role,
            "publication": publication,
            "schema": queries.like_pattern(binding.schema),
            "table": queries.like_pattern(binding.table),
        },
    )
    tables = await cursor.fetchall()
    if not tables:
        raise SubscribeError(_NOT_ENABLED + binding.describe())
    await connection.execute(queries.ROLE_EXISTS, [role])
    for _, columns in tables:
        await _check_table(connection, binding, [_Column(*column) for column in columns])
    return frozenset(oid for oid, _ in tables)


async def _check_table(connection: psycopg.AsyncConnection, binding: Binding, columns: Iterable[_Column]) -> None:
    selectable = {column.name: column for column in columns if column.is_selectable}
    for condition in binding.filters:
        if condition.column not in selectable:
            raise _RefusedError(f"invalid column for filter {condition.column}")
        await _check_filter(connection, condition, selectable[condition.column])
    for name in binding.select or ():
        if name not in selectable:
            raise _RefusedError(f"invalid column for select {name}")


async def _check_filter(connection: psycopg.AsyncConnection, condition: Filter, column: _Column) -> None:
    operator = condition.operator
    if operator is Operator.IS:
        _check_keyword(condition.value, column)
    elif operator in {Operator.LIKE, Operator.ILIKE}:
        _check_pattern_type(operator, column)
    elif operator in {Operator.MATCH, Operator.IMATCH}:
        _check_pattern_type(operator, column)
        await _check_regular_expression(connection, condition)
    elif operator is Operator.IN:
        await _check_list(connection, condition, column)
    elif column.sql_type != "bytea":
        await connection.execute(queries.cast(column.sql_type).encode(), [condition.value])


def _check_keyword(keyword: str, column: _Column) -> None:
    if keyword not in _IS_KEYWORDS:
        raise _RefusedError("invalid value for is filter: must be null, true, false, or unknown")
    if keyword != "null" and column.sql_type != "boolean":
        raise _RefusedError(f"is {keyword} filter requires a boolean column, got {column.sql_type}")


def _check_pattern_type(operator: Operator, column: _Column) -> None:
    if _PATTERN_OPERATORS[operator] not in column.operators:
        raise _RefusedError(f"operator {operator} requires a text-compatible column type, got {column.sql_type}")


async def _check_regular_expression(connection: psycopg.AsyncConnection, condition: Filter) -> None:
    try:
        await connection.execute(queries.VALID_PATTERN, [condition.value])
    except psycopg.DataError as exc:
        if exc.diag.sqlstate is None:
            raise
        text = f"invalid regular expression for {condition.operator} filter: {exc.diag.message_primary}"
        raise _RefusedError(text) from exc


async def _check_list(connection: psycopg.AsyncConnection, condition: Filter, column: _Column) -> None:
    cursor = await connection.execute(queries.list_length(column.sql_type).encode(), [condition.value])
    row: Any = await cursor.fetchone()
    if row[0] > MAX_IN_VALUES:
        raise _RefusedError(f"too many values for `in` filter. Maximum {MAX_IN_VALUES}")


def _raised(refusal: _RefusedError) -> str:
    return f"ERROR P0001 (raise_exception) {refusal}"


def _told(exc: psycopg.Error) -> str:
    """Return a database error as the real server's driver words it."""
    diag = exc.diag
    if diag.sqlstate is None:
        return _NUL  # the one value that our driver refuses by itself
    condition = re.sub(r"(?<!^)(?=[A-Z])", "_", type(exc).__name__).lower()
    extras = [(name, getattr(diag, field)) for name, field in _METADATA.items()]
    metadata = "".join(f"\n    {name}: {value}" for name, value in extras if value)
    detail = f"\n\n{diag.message_detail}" if diag.message_detail else ""
    severity = diag.severity_nonlocalized or "ERROR"
    return f"{severity} {diag.sqlstate} ({condition}) {diag.message_primary}" + (metadata and f"\n{metadata}") + detail
