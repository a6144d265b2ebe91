"""Reads the catalog into a Schema."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from psycopg import AsyncRawCursor
from psycopg.rows import dict_row

from supalocal.rest.relationships import all_relationships
from supalocal.rest.schema import (
    Cardinality,
    Function,
    Name,
    Parameter,
    Relationship,
    RoleSettings,
    Schema,
    Table,
    TableColumn,
)
from supalocal.rest.views import Relation, View, views

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import AsyncConnection

    from supalocal.rest.configuration import Configuration

Row = dict[str, Any]

_HOISTED = {"statement_timeout", "plan_filter.statement_cost_limit"}
_ISOLATION = "default_transaction_isolation"
# Without a search path PostgreSQL writes types and defaults with their schema, so they hold under any path.
_NO_PATH = "select set_config('search_path', 'pg_catalog', true)"


@cache
def query(name: str) -> str:
    """The text of one of the catalog's queries."""
    return files("supalocal.rest").joinpath("catalog", f"{name}.sql").read_text("utf-8")


async def fingerprint(connection: AsyncConnection[Any]) -> str:
    """A text that changes when the catalog does."""
    rows = await _rows(connection, "fingerprint")
    return str(rows[0]["fingerprint"])


async def read_schema(connection: AsyncConnection[Any], configuration: Configuration) -> Schema:
    """A snapshot of what the exposed schemas offer, and `configuration` with what the database sets instead."""
    async with connection.transaction():
        await connection.execute(_NO_PATH)
        mark = await fingerprint(connection)
        settings = await _rows(connection, "settings")
        configuration = configuration.overridden({row["name"]: row["value"] for row in settings})
        exposed = list(configuration.schemas)
        tables = await _rows(connection, "tables", exposed)
        keys = await _rows(connection, "foreign_keys")
        computed = await _rows(connection, "computed_relationships")
        rules = await _rows(connection, "view_columns", [*exposed, *configuration.extra_search_path])
        relations = await _rows(connection, "relations") if rules else []
        functions = await _rows(connection, "functions", exposed)
        roles = await _rows(connection, "role_settings")
    shown = views([_view(row) for row in rules], [_relation(row) for row in relations])
    by_name = {table.name: table for table in map(_table, tables)}
    by_name |= {view.name: _with_key(by_name[view.name], view, by_name) for view in shown if view.name in by_name}
    return Schema(
        tables={name: table for name, table in by_name.items() if name.schema in exposed},
        relationships=all_relationships(map(_key, keys), map(_computed, computed), shown, by_name),
        functions=_grouped(map(_function, functions)),
        roles={row["role"]: _role(row["settings"]) for row in roles},
        configuration=configuration,
        fingerprint=mark,
    )


async def _rows(connection: AsyncConnection[Any], name: str, *parameters: Any) -> list[Row]:
    cursor = AsyncRawCursor(connection, row_factory=dict_row)
    await cursor.execute(query(name).encode(), parameters)
    return await cursor.fetchall()


def _table(row: Row) -> Table:
    columns = {name: TableColumn(name, kind, default) for name, kind, default in row["columns"]}
    return Table(
        Name(row["schema"], row["name"]),
        columns,
        tuple(row["key"]),
        row["is_view"],
        row["insertable"],
        row["updatable"],
        row["deletable"],
    )


def _with_key(table: Table, view: View, tables: dict[Name, Table]) -> Table:
    """The view with the primary keys of all tables that it shows, as far as it shows them whole."""
    shown: list[str] = []
    for base in dict.fromkeys(origin for origin, _ in view.origins.values()):
        names = {column: shown for shown, (source, column) in reversed([*view.origins.items()]) if source == base}
        key = tables[base].key if base in tables else ()
        if all(column in names for column in key):
            shown += [names[column] for column in key]
    return replace(table, key=tuple(shown))


def _key(row: Row) -> Relationship:
    return Relationship(
        Name(row["schema"], row["name"]),
        Name(row["target_schema"], row["target_name"]),
        Cardinality.ONE_TO_ONE if row["one_to_one"] else Cardinality.MANY_TO_ONE,
        row["constraint"],
        tuple((own, other) for own, other in row["columns"]),
    )


def _computed(row: Row) -> Relationship:
    return Relationship(
        Name(row["table_schema"], row["table_name"]),
        Name(row["target_schema"], row["target_name"]),
        Cardinality.MANY_TO_ONE if row["to_one"] else Cardinality.ONE_TO_MANY,
        function=Name(row["schema"], row["name"]),
    )


def _view(row: Row) -> tuple[str, Name, str]:
    return row["view"], Name(row["schema"], row["name"]), row["rule"]


def _relation(row: Row) -> Relation:
    return Relation(row["relation"], Name(row["schema"], row["name"]), row["columns"])


def _function(row: Row) -> Function:
    settings = _settings(row["settings"])
    return Function(
        name=Name(row["schema"], row["name"]),
        parameters=tuple(Parameter(*parameter) for parameter in row["parameters"]),
        result=Name(row["result_schema"], row["result_name"]),
        returns_set=row["returns_set"],
        returns_rows=row["returns_rows"],
        is_volatile=row["is_volatile"],
        settings=tuple((name, value) for name, value in settings if name in _HOISTED),
        isolation=dict(settings).get(_ISOLATION),
    )


def _role(settings: list[str]) -> RoleSettings:
    pairs = _settings(settings)
    others = tuple((name, value) for name, value in pairs if name != _ISOLATION)
    return RoleSettings(others, dict(pairs).get(_ISOLATION))


def _settings(settings: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (setting.partition("=") for setting in settings)]


def _signature(function: Function) -> tuple[int, list[tuple[str, str]]]:
    return len(function.parameters), [(parameter.name, parameter.type) for parameter in function.parameters]


def _grouped(functions: Iterable[Function]) -> dict[Name, tuple[Function, ...]]:
    grouped: dict[Name, tuple[Function, ...]] = {}
    # Overloads are told apart in this order, which errors show.
    for function in sorted(functions, key=_signature):
        grouped[function.name] = (*grouped.get(function.name, ()), function)
    return grouped
