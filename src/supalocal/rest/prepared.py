"""Requests of one shape are planned and turned into SQL once: whatever differs between them travels as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from supalocal.rest.plan import Plan, make_plan
from supalocal.rest.schema import EMPTY, Schema
from supalocal.rest.sql import Statement, main_statement, plan_rows_statement

if TYPE_CHECKING:
    from supalocal.rest.body import Payload
    from supalocal.rest.request import Request

_MOST = 1000  # shapes that are kept


@dataclass(frozen=True, slots=True)
class Prepared:
    """A planned request and its statements, in which a body may only be represented."""

    request: Request
    plan: Plan
    statements: tuple[Statement, ...]
    max_rows: int | None


class Preparation:
    """Plans requests, and keeps what it planned for one schema."""

    def __init__(self) -> None:
        self._schema: Schema = EMPTY
        # By the request's identity, so it is kept with the plan: no other may take its place in memory.
        self._known: dict[tuple[int, Payload | None], tuple[Request, Prepared]] = {}

    def prepare(self, request: Request, payload: Payload | None, schema: Schema) -> Prepared:
        """The plan and statements for a request without its body and the body; raises what planning raises."""
        if schema is not self._schema or len(self._known) >= _MOST:
            self._known.clear()
            self._schema = schema
        if not request.repeats or (payload is not None and payload.arguments is not None):
            return _prepared(replace(request, payload=payload), schema)
        shape = payload and payload.shape
        known = self._known.get((id(request), shape))
        if known is None:
            known = request, _prepared(replace(request, payload=shape), schema)
            self._known[id(request), shape] = known
        return known[1]


def _prepared(request: Request, schema: Schema) -> Prepared:
    plan = make_plan(request, schema)
    max_rows = schema.configuration.max_rows
    return Prepared(request, plan, tuple(_statements(request, plan, max_rows)), max_rows)


def _statements(request: Request, plan: Plan, max_rows: int | None) -> list[Statement]:
    count = request.preferences.count
    # Whatever a function gives is counted; the planner is only asked about tables.
    is_estimated = count in {"planned", "estimated"} and plan.write is None and plan.call is None
    main = main_statement(
        plan,
        count=count in {"exact", "estimated"},
        max_count=max_rows + 1 if is_estimated and max_rows is not None else None,
        with_body=not request.is_head and (plan.write is None or request.preferences.wants_rows),
    )
    if is_estimated and plan.media.explain is None:
        return [main, plan_rows_statement(plan)]
    return [main]
