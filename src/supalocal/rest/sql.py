"""The one place where SQL is written. Names are quoted; values are parameters, always.

A plan becomes one statement. The database builds the body, so that values look as PostgreSQL prints them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from supalocal.rest.filters import (
    OPERATORS,
    QUANTIFIABLE,
    SEARCHES,
    TRUTHS,
    Compare,
    Filter,
    Is,
    IsDistinctFrom,
    OneOf,
    Operation,
    Search,
)
from supalocal.rest.media import Form, Media
from supalocal.rest.ranges import EVERY_ROW, Range
from supalocal.rest.read import AnyGroup, EmbedIsNull, Join, Read, Where
from supalocal.rest.request import Action
from supalocal.rest.schema import Name
from supalocal.rest.select import EVERYTHING, Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from supalocal.rest.fields import Field
    from supalocal.rest.order import OrderTerm
    from supalocal.rest.plan import Call, Plan, Write

Value = str | bytes | None

_BODY = Name("", "pgrst_body")
_CALL = Name("", "pgrst_call")
_SETTINGS = (
    "nullif(current_setting('response.headers', true), '') as response_headers, "
    "nullif(current_setting('response.status', true), '') as response_status"
)
_INSERTED = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)"
_COUNT_INSERTED = f"set_config('pgrst.inserted', ({_INSERTED} + 1)::text, true) <> '0'"
_COUNT_UPDATED = f"set_config('pgrst.inserted', ({_INSERTED} - 1)::text, true) <> '-1'"


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with $1, $2, ... and their values. Strings travel untyped, so that PostgreSQL decides what they are."""

    text: str
    values: tuple[Value, ...] = ()


def quoted(name: str) -> str:
    """An identifier that means exactly `name`."""
    return '"' + name.partition("\0")[0].replace('"', '""') + '"'


def qualified(name: Name) -> str:
    return f"{quoted(name.schema)}.{quoted(name.name)}" if name.schema else quoted(name.name)


def array_literal(values: Iterable[str]) -> str:
    """PostgreSQL's text form of an array, to be sent as a value."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"


def settings_statement(settings: Iterable[tuple[str, str]]) -> Statement:
    """Sets all of these for the transaction, in their order."""
    values = [part for pair in settings for part in pair]
    calls = (f"set_config(${n}, ${n + 1}, true)" for n in range(1, len(values), 2))
    return Statement(f"select {', '.join(calls)}", tuple(values))


def main_statement(plan: Plan, *, count: bool, max_count: int | None = None, with_body: bool = True) -> Statement:
    """The statement that answers; its row is total, page, body, response headers, response status, location, inserted.

    With `count`, the total counts all rows that the conditions meet, or stops at `max_count`.
    """
    return _Builder().main(plan, count=count, max_count=max_count, with_body=with_body)


def plan_rows_statement(plan: Plan) -> Statement:
    """EXPLAIN of the counting query, for what the planner expects."""
    builder = _Builder()
    source = builder.source(plan) if plan.call else None
    prefix = f"with pgrst_source as ({source}) " if source else ""
    return builder.done(f"explain (format json) {prefix}{builder.counting(plan.read)}")


class _Builder:
    """Writes one statement and collects its values."""

    def __init__(self) -> None:
        self._values: list[Value] = []

    def done(self, text: str) -> Statement:
        return Statement(text, tuple(self._values))

    def _value(self, value: Value) -> str:
        self._values.append(value)
        return f"${len(self._values)}"

    # The whole statement.

    def main(self, plan: Plan, *, count: bool, max_count: int | None, with_body: bool) -> Statement:
        shows_rows = plan.write is None or bool(plan.write.returning)
        source = self.source(plan)
        total, counting = "null::bigint", ""
        if count and plan.write is None:
            limit = f" limit {max_count}" if max_count is not None else ""
            counting = f", pgrst_source_count as ({self.counting(plan.read)}{limit})"
            total = "(select pg_catalog.count(*) from pgrst_source_count)"
        rows = "select * from pgrst_source"
        if with_body and (plan.call or (plan.write and shows_rows)):
            rows = self.select(plan.read)
        body = self._body(plan, plan.media) if with_body else "''"
        return self.done(
            f"with pgrst_source as ({source}){counting} select {total} as total, {_page(plan)} as page, "
            f"{body} as body, {_SETTINGS}, {self._location(plan)} as location, {_inserted(plan)} as inserted "
            f"from ({rows}) _postgrest_t"
        )

    def source(self, plan: Plan) -> str:
        if plan.write:
            return self._write(plan.write)
        return self._call(plan.call) if plan.call else self.select(plan.read)

    def _location(self, plan: Plan) -> str:
        write = plan.write
        if write is None or write.action is not Action.INSERT or not write.returning or not write.table.key:
            return "null::json"
        keys = self._value(array_literal(write.table.key))
        return (
            "case when pg_catalog.count(_postgrest_t) = 1 then (select json_agg(pair.key || '=' || "
            "coalesce('eq.' || pair.value, 'is.null')) from (select row_to_json(row) as row from pgrst_source as row "
            f"limit 1) as data cross join json_each_text(data.row) as pair where pair.key = any ({keys}::text[])) end"
        )

    def _body(self, plan: Plan, media: Media) -> str:
        function = plan.call.function if plan.call else None
        if media.form is Form.CSV:
            return _CSV
        rows = "_postgrest_t.pgrst_scalar" if function and function.returns_scalar else "_postgrest_t"
        gathered = f"json_agg({rows})"
        is_one = media.form is Form.ONE_OBJECT or bool(function and not function.returns_set)
        one = f"{gathered}->0" if is_one else gathered
        stripped = f"json_strip_nulls({one})" if media.strip_nulls else one
        return f"coalesce({stripped}, '{'null' if is_one else '[]'}')"

    # Reading.

    def select(self, read: Read) -> str:
        columns = [self._column(read, column) for column in read.columns]
        columns += [shown for join in read.joins for shown in self._shown(join)]
        if not columns and not read.joins:
            columns = [f"{qualified(read.qualifier)}.*"]
        joins = "".join(self._joined(join) for join in read.joins)
        where = self._where_clause(read, lambda condition: self._where(read, condition))
        order = self._order(read)
        return f"select {', '.join(columns)} from {_from(read)}{joins}{where}{order}{self._limit(read.range)}"

    def counting(self, read: Read, join: Join | None = None) -> str:
        def written(condition: Where) -> str:
            if isinstance(condition, EmbedIsNull):
                embedded = next(other for other in read.joins if other.alias == condition.alias)
                negation = "" if condition.negated else "not "
                return f"{negation}exists ({self.counting(embedded.read, embedded)})"
            return self._where(read, condition, written)

        exists = [f"exists ({self.counting(inner.read, inner)})" for inner in read.joins if inner.inner]
        where = self._where_clause(read, written, join, exists)
        return f"select 1 from {_from(read, join)}{where}"

    def _where_clause(
        self,
        read: Read,
        written: Callable[[Where], str],
        join: Join | None = None,
        more: Sequence[str] = (),
    ) -> str:
        conditions = [written(condition) for condition in read.where]
        conditions += _join_conditions(join) if join else []
        conditions += more
        return f" where {' and '.join(conditions)}" if conditions else ""

    def _column(self, read: Read, column: Column) -> str:
        selected = self._field(read, column.field)
        if column.cast:
            selected = f"cast({selected} as {column.cast})"
        alias = column.alias or column.field.result_key
        return f"{selected} as {quoted(alias)}" if alias else selected

    def _field(self, read: Read, field: Field) -> str:
        if field == EVERYTHING:
            return f"{qualified(read.qualifier)}.*"
        column = f"{qualified(read.qualifier)}.{quoted(field.name)}"
        if field.path and not (read.table and read.table.type_of(field.name) in {"json", "jsonb"}):
            column = f"to_jsonb({column})"
        return column + self._path(field)

    def _path(self, field: Field) -> str:
        return "".join(
            f"{'->>' if step.as_text else '->'}{self._value(step.operand)}{'::int' if step.is_index else ''}"
            for step in field.path
        )

    def _shown(self, join: Join) -> list[str]:
        alias, key = quoted(join.alias), quoted(join.key)
        if join.spread:
            return [f"{alias}.{'*' if name == '*' else quoted(name)}" for name in _spread_names(join)]
        if join.read.is_hidden:
            return []
        if join.relationship.is_to_one:
            return [f"row_to_json({alias}.*)::jsonb as {key}"]
        return [f"coalesce({alias}.{alias}, '[]') as {key}"]

    def _joined(self, join: Join) -> str:
        alias = quoted(join.alias)
        rows, condition = self._embedded(join), "true"
        if not join.relationship.is_to_one:
            gathered = [f"json_agg({alias})::jsonb as {alias}"]
            if join.spread:
                gathered += [_gathered(alias, quoted(name)) for name in _spread_names(join)]
            rows = f"select {', '.join(gathered)} from ({rows}) as {alias}"
            condition = f"{alias} is not null" if join.inner else "true"
        return f" {'inner' if join.inner else 'left'} join lateral ({rows}) as {alias} on {condition}"

    def _embedded(self, join: Join) -> str:
        read = join.read
        columns = [self._column(read, column) for column in read.columns]
        columns += [shown for inner in read.joins for shown in self._shown(inner)]
        joins = "".join(self._joined(inner) for inner in read.joins)
        where = self._where_clause(read, lambda condition: self._where(read, condition), join)
        selected = ", ".join(columns) or f"{qualified(read.qualifier)}.*"
        return f"select {selected} from {_from(read, join)}{joins}{where}{self._order(read)}{self._limit(read.range)}"

    def _order(self, read: Read) -> str:
        return f" order by {', '.join(self._order_term(read, term) for term in read.order)}" if read.order else ""

    def _order_term(self, read: Read, term: OrderTerm) -> str:
        if term.relation is None:
            ordered = self._field(read, term.field)
        else:
            ordered = f"{quoted(term.relation)}.{quoted(term.field.name)}{self._path(term.field)}"
        return " ".join(filter(None, [ordered, term.direction, term.nulls]))

    def _limit(self, rows: Range) -> str:
        if rows == EVERY_ROW:
            return ""
        limit = "all" if rows.limit is None else self._value(str(rows.limit))
        return f" limit {limit} offset {self._value(str(rows.first))}"

    # Conditions.

    def _where(self, read: Read, condition: Where, written: Callable[[Where], str] | None = None) -> str:
        if isinstance(condition, EmbedIsNull):
            return f"{quoted(condition.alias)} is {'' if condition.negated else 'not '}distinct from null"
        if isinstance(condition, AnyGroup):
            write = written or (lambda member: self._where(read, member))
            members = (" or " if condition.any_of else " and ").join(write(member) for member in condition.members)
            return f"{'not ' if condition.negated else ''}({members})"
        return self._filter(read, condition)

    def _filter(self, read: Read, condition: Filter) -> str:
        tested = self._field(read, condition.field)
        if isinstance(condition.operation, Search):
            tested = self._searched(read, condition.field, condition.operation, tested)
        return f"{'not ' if condition.negated else ''}{tested} {self._operation(condition.operation)}"

    def _searched(self, read: Read, field: Field, search: Search, tested: str) -> str:
        kind = read.table.type_of(field.name) if read.table else None
        if kind in {None, "tsvector"}:
            return tested
        language = f"{self._value(search.language)}, " if search.language else ""
        return f"to_tsvector({language}{tested})"

    def _operation(self, operation: Operation) -> str:
        if isinstance(operation, Compare):
            return self._comparison(operation)
        if isinstance(operation, OneOf):
            return f"= any ({self._value('{}' if operation.values == ('',) else array_literal(operation.values))})"
        if isinstance(operation, Is):
            return f"is {TRUTHS[operation.truth]}"
        if isinstance(operation, IsDistinctFrom):
            return f"is distinct from {self._value(operation.value)}"
        language = f"{self._value(operation.language)}, " if operation.language else ""
        return f"@@ {SEARCHES[operation.function]}({language}{self._value(operation.query)})"

    def _comparison(self, compare: Compare) -> str:
        if compare.operator in OPERATORS:
            return f"{OPERATORS[compare.operator]} {self._value(compare.value)}"
        text = compare.value.replace("*", "%") if compare.operator in {"like", "ilike"} else compare.value
        value = self._value(text)
        against = f"{compare.quantifier} ({value})" if compare.quantifier else value
        return f"{QUANTIFIABLE[compare.operator]} {against}"

    # Writing.

    def _write(self, write: Write) -> str:
        if write.action is Action.UPDATE:
            return self._update(write)
        table = qualified(write.table.name)
        if write.action is Action.DELETE:
            return f"delete from {table}{self._write_where(write)} {_returned(write)}"
        return self._insert(write)

    def _insert(self, write: Write) -> str:
        columns = ", ".join(quoted(column.name) for column in write.columns)
        into = f"insert into {qualified(write.table.name)}{f'({columns})' if columns else ''}"
        conditions = [_COUNT_INSERTED] if write.conflict and write.conflict.merges else []
        selected = ", ".join(f"{qualified(_BODY)}.{quoted(column.name)}" for column in write.columns)
        rows = f"select {selected} {self._payload(write)}"
        body = Read(_BODY, None, None, ())
        conditions += [self._where(body, condition) for condition in write.where]
        where = f" where {' and '.join(conditions)}" if conditions else ""
        return f"{into} {rows}{where}{_on_conflict(write)} {_returned(write)}"

    def _update(self, write: Write) -> str:
        table = qualified(write.table.name)
        if not write.columns:
            # SQL knows no update of no columns; an empty answer of the right columns stands for it.
            name = quoted(write.table.name.name)
            shown = ", ".join(_reference(name, column) for column in write.returning) or "null"
            return f"select {shown} from {table} where false"
        assigned = ", ".join(
            f"{quoted(column.name)} = {qualified(_BODY)}.{quoted(column.name)}" for column in write.columns
        )
        return f"update {table} set {assigned} {self._payload(write)}{self._write_where(write)} {_returned(write)}"

    def _write_where(self, write: Write) -> str:
        target = Read(write.table.name, None, write.table, ())
        conditions = [self._where(target, condition) for condition in write.where]
        return f" where {' and '.join(conditions)}" if conditions else ""

    def _payload(self, write: Write) -> str:
        typed = [(column.name, column.type) for column in write.columns]
        defaults = None
        if write.apply_defaults:
            defaults = [(column.name, column.default) for column in write.columns if column.default is not None]
        is_object = bool(write.payload and write.payload.is_object)
        text = write.payload.text if write.payload else None
        return self._from_json(text, typed, is_object=is_object, defaults=defaults)

    def _from_json(
        self,
        text: Value,
        typed: Sequence[tuple[str, str]],
        *,
        is_object: bool,
        defaults: Sequence[tuple[str, str]] | None = None,
        first_only: bool = False,
    ) -> str:
        kind, document, filled = "json", "pgrst_payload.json_data", ""
        if defaults is not None:
            kind, document, filled = "jsonb", "pgrst_json_defs.val", self._with_defaults(defaults, is_object=is_object)
        columns = ", ".join(quoted(name) for name, _ in typed)
        if typed:
            types = ", ".join(f"{quoted(name)} {kind_of}" for name, kind_of in typed)
            rows = f"{kind}_to_record{'' if is_object else 'set'}({document}) as _({types})"
        else:
            rows = "(values (1)) _" if is_object else f"{kind}_array_elements({document}) _"
        limit = " limit 1" if first_only else ""
        return (
            f"from (select {self._value(text)}::{kind} as json_data) pgrst_payload, {filled}"
            f"lateral (select {columns} from {rows}{limit}) pgrst_body"
        )

    def _with_defaults(self, defaults: Sequence[tuple[str, str]], *, is_object: bool) -> str:
        # A default is SQL that the table's owner wrote; the catalog gives it with all names qualified.
        pairs = ", ".join(f"{self._value(name)}::text, {expression}" for name, expression in defaults)
        built = f"jsonb_build_object({pairs})"
        if is_object:
            return f"lateral (select {built} || pgrst_payload.json_data as val) pgrst_json_defs, "
        return (
            f"lateral (select jsonb_agg({built} || elem) as val "
            "from jsonb_array_elements(pgrst_payload.json_data) elem) pgrst_json_defs, "
        )

    # Calling.

    def _call(self, call: Call) -> str:
        function = call.function
        if function.returns_scalar:
            shown = "pgrst_call.pgrst_scalar"
        else:
            shown = ", ".join(_reference(quoted(_CALL.name), name) for name in call.returning) or "*"
        return f"select {shown} {self._called(call)}"

    def _called(self, call: Call) -> str:
        parameters = [parameter for parameter in call.function.parameters if parameter.name in call.given]
        if len(call.function.parameters) == 1 and not call.function.parameters[0].name:
            text = call.payload.text if call.payload else None
            return f"from {_invoked(call, f'{self._value(text)}::{call.function.parameters[0].type}')}"
        if not parameters:
            return f"from {_invoked(call, '')}"
        if call.arguments is not None:
            given = ", ".join(self._argument(call, parameter.name) for parameter in parameters)
            return f"from {_invoked(call, given)}"
        typed = [(parameter.name, parameter.cast) for parameter in parameters]
        is_object = bool(call.payload and call.payload.is_object)
        text = call.payload.text if call.payload else None
        rows = self._from_json(text, typed, is_object=is_object, first_only=True)
        given = ", ".join(
            f"{'variadic ' if p.variadic else ''}{quoted(p.name)} := {_reference(qualified(_BODY), p.name)}"
            for p in parameters
        )
        return f"{rows}, lateral {_invoked(call, given)}"

    def _argument(self, call: Call, name: str) -> str:
        parameter = next(parameter for parameter in call.function.parameters if parameter.name == name)
        given = (call.arguments or {})[name]
        text = given if isinstance(given, str) else array_literal(given)
        prefix = "variadic " if parameter.variadic else ""
        return f"{prefix}{quoted(name)} := {self._value(text)}::{parameter.cast}"


_CSV = (
    "(select coalesce(string_agg(a.k, ','), '') from (select json_object_keys(r)::text as k from ("
    "select row_to_json(hh) as r from pgrst_source as hh limit 1) s) a) || E'\\n' || "
    "coalesce(string_agg(substring(_postgrest_t::text, 2, length(_postgrest_t::text) - 2), E'\\n'), '')"
)


def _page(plan: Plan) -> str:
    is_single = plan.call is not None and not plan.call.function.returns_set
    return "1::bigint" if is_single else "pg_catalog.count(_postgrest_t)"


def _inserted(plan: Plan) -> str:
    if plan.write and plan.write.conflict and plan.write.conflict.merges:
        return _INSERTED
    return "null::int"


def _from(read: Read, join: Join | None = None) -> str:
    relationship = join.relationship if join else None
    if join and relationship and relationship.function:
        # Typed, because a function may be overloaded and a write's rows have lost their type.
        argument = f"{quoted(join.parent.name)}::{qualified(relationship.table)}"
        source = f"{qualified(relationship.function)}({argument})"
    else:
        source = qualified(read.source)
    alias = f" as {quoted(read.alias)}" if read.alias else ""
    junction = relationship.junction if relationship else None
    return f"{source}{alias}{f', {qualified(junction.table)}' if junction else ''}"


def _join_conditions(join: Join) -> list[str]:
    own, other = qualified(join.parent), qualified(join.read.qualifier)
    junction = join.relationship.junction
    if not junction:
        pairs = join.relationship.columns
        return [f"{other}.{quoted(target)} = {own}.{quoted(column)}" for column, target in pairs]
    between = qualified(junction.table)
    return [
        *(f"{other}.{quoted(key)} = {between}.{quoted(column)}" for column, key in junction.target_columns),
        *(f"{between}.{quoted(column)} = {own}.{quoted(key)}" for column, key in junction.source_columns),
    ]


def _spread_names(join: Join) -> list[str]:
    names = [column.alias or column.field.result_key or column.field.name for column in join.read.columns]
    for inner in join.read.joins:
        names += _spread_names(inner) if inner.spread else [] if inner.read.is_hidden else [inner.key]
    return names


def _gathered(alias: str, column: str) -> str:
    return f"coalesce(json_agg({alias}.{column}), '[]')::jsonb as {column}"


def _reference(qualifier: str, column: str) -> str:
    return f"{qualifier}.{'*' if column == '*' else quoted(column)}"


def _returned(write: Write) -> str:
    table = qualified(write.table.name)
    return f"returning {', '.join(_reference(table, column) for column in write.returning) or '1'}"


def _on_conflict(write: Write) -> str:
    if not write.conflict:
        return ""
    target = f" on conflict ({', '.join(quoted(column) for column in write.conflict.columns)}) "
    if not (write.conflict.merges and write.columns):
        return f"{target}do nothing"
    assigned = ", ".join(f"{quoted(column.name)} = excluded.{quoted(column.name)}" for column in write.columns)
    return f"{target}do update set {assigned} where {_COUNT_UPDATED}"


def _invoked(call: Call, given: str) -> str:
    invoked = f"{qualified(call.function.name)}({given})"
    if call.function.returns_scalar:
        return f"(select {invoked} pgrst_scalar) pgrst_call"
    return f"{invoked} pgrst_call"
