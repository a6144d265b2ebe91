"""From a request and the schema to a plan: what to read, write or call, and how the answer is shaped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from supalocal.rest.aggregates import settle_aggregates
from supalocal.rest.body import FORM
from supalocal.rest.errors import RestError, SchemaError
from supalocal.rest.filters import Compare, Condition, Filter, Group
from supalocal.rest.functions import choose_function
from supalocal.rest.media import Media, negotiate
from supalocal.rest.read import SOURCE, AnyGroup, Read, ReadRequest, Where, plan_read
from supalocal.rest.request import Action, Request
from supalocal.rest.schema import Function, Name, Schema, Table, TableColumn
from supalocal.rest.select import EVERYTHING
from supalocal.rest.suggestions import NAME_SCORE, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from supalocal.rest.body import Payload


@dataclass(frozen=True, slots=True)
class Conflict:
    """What happens to rows whose `columns` are already there."""

    columns: tuple[str, ...]
    merges: bool


@dataclass(frozen=True, slots=True)
class Write:
    """Rows to insert, change or delete; `returning` are the columns that the read of the written rows needs."""

    action: Action
    table: Table
    columns: tuple[TableColumn, ...]
    payload: Payload | None
    where: tuple[Where, ...]
    conflict: Conflict | None
    returning: tuple[str, ...]
    apply_defaults: bool
    tells_location: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function to call; `given` are the names of its arguments, `returning` as in Write."""

    function: Function
    given: tuple[str, ...]
    arguments: Mapping[str, str | tuple[str, ...]] | None  # as text; None if they are in the payload
    payload: Payload | None
    returning: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request comes to. A write or a call is the source of the rows that `read` reads."""

    read: Read
    media: Media
    write: Write | None = None
    call: Call | None = None

    @property
    def reads_only(self) -> bool:
        return self.write is None and (self.call is None or not self.call.function.is_volatile)


def make_plan(request: Request, schema: Schema) -> Plan:
    """The plan; raises SchemaError where a name is unknown, and RestError for what PostgREST refuses to plan."""
    if request.action in {Action.CALL, Action.CALL_READING, Action.DESCRIBE_FUNCTION}:
        return _plan_call(request, schema)
    table = find_table(schema, request.name)
    if request.is_write:
        return _plan_write(request, schema, table)
    read = _plan_read(request, schema, request.name, None, table.name)
    return Plan(read, _media_and_preferences(request, schema))


def find_table(schema: Schema, name: Name) -> Table:
    """The table or view; raises PGRST205."""
    if table := schema.tables.get(name):
        return table
    meant = nearest(name.name, [other.name for other in schema.tables if other.schema == name.schema], NAME_SCORE)
    raise SchemaError(
        404,
        "PGRST205",
        f"Could not find the table '{name.schema}.{name.name}' in the schema cache",
        hint=f"Perhaps you meant the table '{name.schema}.{meant}'" if meant else None,
    )


def find_function(request: Request, schema: Schema) -> Function:
    """The function that the request calls; raises PGRST202 or 203."""
    if request.action is Action.CALL:
        keys: Iterable[str] = request.payload.keys if request.payload else ()
        return choose_function(schema.functions, request.name, tuple(keys), request.body_type)
    return choose_function(schema.functions, request.name, [name for name, _ in request.query.arguments], None)


def _media_and_preferences(request: Request, schema: Schema) -> Media:
    media = _media(request, schema)
    request.preferences.refuse_invalid()
    return media


def _media(request: Request, schema: Schema) -> Media:
    return negotiate(request.accept, plans=schema.configuration.plans)


def _plan_read(request: Request, schema: Schema, source: Name, alias: str | None, table: Name) -> Read:
    read = plan_read(_read_request(request, schema, source, alias, table))
    return settle_aggregates(read, are_allowed=schema.configuration.aggregates)


def _read_request(request: Request, schema: Schema, source: Name, alias: str | None, table: Name) -> ReadRequest:
    query = request.query
    ranges = {**query.ranges, (): request.range}
    is_write = request.is_write
    return ReadRequest(
        schema=schema,
        source=source,
        alias=alias,
        table=table,
        items=query.select,
        # A write applies the conditions itself; what it gives back is not restricted again.
        conditions=tuple(part for part in query.conditions if part[0] or not is_write),
        orders=query.orders,
        ranges=() if is_write else tuple(ranges.items()),
        max_rows=None if is_write else schema.configuration.max_rows,
    )


def _plan_write(request: Request, schema: Schema, table: Table) -> Plan:
    read = _plan_read(request, schema, SOURCE, table.name.name, table.name)
    columns = tuple(_known_columns(table, request.payload.keys if request.payload else ()))
    conditions = request.query.written_conditions()
    if request.action is Action.PUT:
        _check_put(request, table, conditions)
    write = Write(
        action=request.action,
        table=table,
        columns=columns,
        payload=request.payload,
        where=tuple(map(_plain_where, conditions)) if request.action is not Action.INSERT else (),
        conflict=_conflict(request, table),
        returning=_returning(read, table.key) if request.preferences.returned in _WITH_RETURNING else (),
        apply_defaults=request.preferences.missing == "default" and request.action is not Action.PUT,
        tells_location=request.action is Action.INSERT and request.preferences.returned == "headers-only",
    )
    request.preferences.refuse_invalid()
    return Plan(read, _media(request, schema), write=write)


_WITH_RETURNING = {"representation", "headers-only"}


def _known_columns(table: Table, names: Iterable[str]) -> Iterable[TableColumn]:
    for name in names:
        if name not in table.columns:
            message = f"Could not find the '{name}' column of '{table.name.name}' in the schema cache"
            raise SchemaError(400, "PGRST204", message)
        yield table.columns[name]


def _check_put(request: Request, table: Table, conditions: Sequence[Condition]) -> None:
    by_equality = all(
        isinstance(condition, Filter)
        and not condition.negated
        and isinstance(condition.operation, Compare)
        and condition.operation.operator == "eq"
        and condition.operation.quantifier is None
        for condition in conditions
    )
    if not (table.key and by_equality and request.query.filtered_names == set(table.key)):
        message = "Filters must include all and only primary key columns with 'eq' operators"
        raise RestError(405, "PGRST105", message)


def _conflict(request: Request, table: Table) -> Conflict | None:
    if request.action is Action.PUT:
        return Conflict(table.key, merges=True)
    resolution = request.preferences.resolution
    columns = request.query.on_conflict if request.query.on_conflict is not None else table.key
    if request.action is not Action.INSERT or resolution is None or not columns:
        return None
    return Conflict(columns, merges=resolution == "merge-duplicates")


def _returning(read: Read, extra: Iterable[str]) -> tuple[str, ...]:
    """The columns that a read of the written or computed rows needs."""
    names = {column.field.name for column in read.columns}
    computed = any(join.relationship.function for join in read.joins)
    if EVERYTHING.name in names or computed:
        return (EVERYTHING.name,)
    joined = {column for join in read.joins for column in join.relationship.source_columns}
    return tuple(sorted(names | joined | set(extra)))


def _plain_where(condition: Condition) -> Where:
    if isinstance(condition, Group):
        return AnyGroup(tuple(map(_plain_where, condition.members)), condition.any_of, condition.negated)
    return condition


def _plan_call(request: Request, schema: Schema) -> Plan:
    function = find_function(request, schema)
    source = function.row_source
    read = _plan_read(request, schema, SOURCE, source.name, source)
    media = _media_and_preferences(request, schema)
    if request.preferences.strict_max_affected is not None and not function.returns_set:
        message = "Function must return SETOF or TABLE when max-affected preference is used with handling=strict"
        raise RestError(400, "PGRST128", message)
    return Plan(read, media, call=_call(request, function, read))


def _call(request: Request, function: Function, read: Read) -> Call:
    if request.action is Action.CALL_READING:
        pairs = request.query.arguments
    else:
        pairs = (request.payload.arguments if request.payload else None) or ()
    direct = request.action is Action.CALL_READING or request.body_type == FORM
    payload = None if direct else request.payload
    given = tuple(name for name, _ in pairs) if direct else payload.keys if payload else ()
    arguments = _arguments(function, pairs) if direct else None
    returning = _returning(read, _filtered_names(read))
    return Call(function, given, arguments, payload, returning)


def _filtered_names(read: Read) -> Iterator[str]:
    """What filters speak of; PostgREST asks all of it of the function, even what only an embed has."""
    for where in read.where:
        yield from _names(where)
    for join in read.joins:
        yield from _filtered_names(join.read)


def _names(where: Where) -> Iterable[str]:
    if isinstance(where, AnyGroup):
        return [name for member in where.members for name in _names(member)]
    return [where.field.name if isinstance(where, Filter) else where.alias]


def _arguments(function: Function, pairs: Iterable[tuple[str, str]]) -> dict[str, str | tuple[str, ...]]:
    variadic = {parameter.name for parameter in function.parameters if parameter.variadic}
    arguments: dict[str, str | tuple[str, ...]] = {}
    for name, value in pairs:
        if name in variadic:
            earlier = arguments.get(name, ())
            arguments[name] = (*earlier, value) if isinstance(earlier, tuple) else (value,)
        else:
            arguments[name] = value
    return arguments
