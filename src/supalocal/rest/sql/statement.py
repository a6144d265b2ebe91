"""The whole statement of a plan: source, rows, count and body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supalocal.rest.media import Form, Media
from supalocal.rest.sql.calling import Calling
from supalocal.rest.sql.reading import Reading
from supalocal.rest.sql.text import Statement, Values, array_literal
from supalocal.rest.sql.writing import INSERTED, Writing

if TYPE_CHECKING:
    from supalocal.rest.plan import Plan

_SETTINGS = (
    "nullif(current_setting('response.headers', true), '') as response_headers, "
    "nullif(current_setting('response.status', true), '') as response_status"
)
_CSV = (
    "(select coalesce(string_agg(a.k, ','), '') from (select json_object_keys(r)::text as k from ("
    "select row_to_json(hh) as r from pgrst_source as hh limit 1) s) a) || E'\\n' || "
    "coalesce(string_agg(substring(_postgrest_t::text, 2, length(_postgrest_t::text) - 2), E'\\n'), '')"
)

_GEOJSON = (
    "json_build_object('type', 'FeatureCollection', "
    "'features', coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]'))"
)
_WHOLE_TABLES = {Form.CSV: _CSV, Form.GEOJSON: _GEOJSON}


def main_statement(plan: Plan, *, count: bool, max_count: int | None = None, with_body: bool = True) -> Statement:
    """The statement that answers; its row is total, page, body, response headers, response status, location, inserted.

    With `count`, the total counts all rows that the conditions meet, or stops at `max_count`. Where a plan is wanted,
    its rows are the lines of EXPLAIN instead.
    """
    return _Whole().main(plan, count=count, max_count=max_count, with_body=with_body)


def plan_rows_statement(plan: Plan) -> Statement:
    """EXPLAIN of the counting query, for what the planner expects."""
    return _Whole().explained(plan)


class _Whole:
    def __init__(self) -> None:
        self._values = Values()
        self._reading = Reading(self._values)

    def main(self, plan: Plan, *, count: bool, max_count: int | None, with_body: bool) -> Statement:
        shows_rows = plan.write is None or bool(plan.write.returning)
        source = self.source(plan)
        total, counting = "null::bigint", ""
        if count and plan.write is None:
            limit = f" limit {max_count}" if max_count is not None else ""
            counting = f", pgrst_source_count as ({self._reading.counting(plan.read)}{limit})"
            total = "(select pg_catalog.count(*) from pgrst_source_count)"
        rows = "select * from pgrst_source"
        if with_body and (plan.call or (plan.write and shows_rows)):
            rows = self._reading.select(plan.read)
        body = self._body(plan, plan.media) if with_body else "''"
        return self._values.statement(
            f"{_explain(plan.media)}with pgrst_source as ({source}){counting} "
            f"select {total} as total, {_page(plan)} as page, "
            f"{body} as body, {_SETTINGS}, {self._location(plan)} as location, {_inserted(plan)} as inserted "
            f"from ({rows}) _postgrest_t"
        )

    def explained(self, plan: Plan) -> Statement:
        return self._values.statement(f"explain (format json) {self._reading.counting(plan.read)}")

    def source(self, plan: Plan) -> str:
        if plan.write:
            return Writing(self._values).write(plan.write)
        return Calling(self._values).call(plan.call) if plan.call else self._reading.select(plan.read)

    def _location(self, plan: Plan) -> str:
        write = plan.write
        if write is None or not write.tells_location or not write.table.key:
            return "null::json"
        keys = self._values.add(array_literal(write.table.key))
        return (
            "case when pg_catalog.count(_postgrest_t) = 1 then (select json_agg(pair.key || '=' || "
            "coalesce('eq.' || pair.value, 'is.null')) from (select row_to_json(row) as row from pgrst_source as row "
            f"limit 1) as data cross join json_each_text(data.row) as pair where pair.key = any ({keys}::text[])) end"
        )

    def _body(self, plan: Plan, media: Media) -> str:
        function = plan.call.function if plan.call else None
        if media.form in _WHOLE_TABLES:
            return _WHOLE_TABLES[media.form]
        wants_one = media.form is Form.ONE_OBJECT
        # One of a set of values is shown as a row of them would be.
        is_value = function and function.returns_scalar and not (wants_one and function.returns_set)
        gathered = f"json_agg(_postgrest_t{'.pgrst_scalar' if is_value else ''})"
        is_one = wants_one or bool(function and not function.returns_set)
        one = f"{gathered}->0" if is_one else gathered
        stripped = f"json_strip_nulls({one})" if media.strip_nulls else one
        return f"coalesce({stripped}, '{'null' if is_one else '[]'}')"


def _explain(media: Media) -> str:
    if media.explain is None:
        return ""
    return f"explain ({', '.join([f'format {media.explain.format}', *media.explain.options])}) "


def _page(plan: Plan) -> str:
    is_single = plan.call is not None and not plan.call.function.returns_set
    return "1::bigint" if is_single else "pg_catalog.count(_postgrest_t)"


def _inserted(plan: Plan) -> str:
    if plan.write and plan.write.conflict and plan.write.conflict.merges:
        return INSERTED
    return "null::int"
