"""From a result to status, headers and body."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from supalocal.rest.errors import FINAL_STATUSES, RestError, are_headers
from supalocal.rest.query import canonical_query
from supalocal.rest.ranges import content_range, out_of_bounds, range_status
from supalocal.rest.request import Action

if TYPE_CHECKING:
    from supalocal.rest.plan import Plan
    from supalocal.rest.request import Request
    from supalocal.rest.run import Result
    from supalocal.rest.schema import Function, Table

_ERROR_TYPE = "application/json; charset=utf-8"
_OUT_OF_RANGE = 416
_INTERNAL = 500
_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    reason: str | None = None
    set_by_sql: tuple[tuple[str, str], ...] = ()  # headers, of which several may have one name

    @property
    def all_headers(self) -> list[tuple[str, str]]:
        """Whatever becomes a header; who finds the service unavailable may come back at once."""
        retry = [("Retry-After", "0")] if self.status == _UNAVAILABLE else []
        return [*self.headers.items(), *self.set_by_sql, *retry]


def answer(request: Request, plan: Plan, result: Result, query_text: str) -> Answer:
    """The answer to a request that went well; raises PGRST111 or 112 for what SQL set wrongly."""
    if plan.media.explain:
        return Answer(200, _content(request, plan), result.body)
    shape = {
        Action.READ: _read,
        Action.INSERT: _insert,
        Action.UPDATE: _update,
        Action.PUT: _put,
        Action.DELETE: _delete,
    }.get(request.action, _call)
    return _overridden(shape(request, plan, result, query_text), result)


def error_answer(error: RestError, *, is_head: bool = False) -> Answer:
    headers = {"Content-Type": _ERROR_TYPE, "Proxy-Status": f"PostgREST; error={error.code}", **error.headers}
    printable = "".join(letter if letter.isprintable() else " " for letter in error.reason or "")
    reason = " ".join(printable.split()) or None
    return Answer(error.status, headers, b"" if is_head else error.body, reason)


def describe_table(table: Table) -> Answer:
    methods = ["OPTIONS,GET,HEAD"]
    methods += ["POST"] * table.insertable + ["PUT"] * bool(table.insertable and table.updatable and table.key)
    methods += ["PATCH"] * table.updatable + ["DELETE"] * table.deletable
    return describe(",".join(methods))


def describe_function(function: Function) -> Answer:
    return describe("OPTIONS,POST" if function.is_volatile else "OPTIONS,GET,HEAD,POST")


def describe(methods: str) -> Answer:
    return Answer(200, {"Access-Control-Allow-Origin": "*", "Allow": methods})


def _content(request: Request, plan: Plan) -> dict[str, str]:
    return {"Content-Type": plan.media.content_type, **profile(request)}


def profile(request: Request) -> dict[str, str]:
    return {"Content-Profile": request.name.schema} if request.shows_profile else {}


def _applied(request: Request, *kinds: str) -> dict[str, str]:
    applied = request.preferences.applied(*kinds)
    return {"Preference-Applied": applied} if applied else {}


def _ranged(request: Request, result: Result) -> tuple[int, dict[str, str]]:
    first = request.range.first
    header = content_range(first, first + result.page - 1, result.total)
    return range_status(first, result.page, result.total), {"Content-Range": header}


def _body(request: Request, result: Result, status: int) -> bytes:
    if status == _OUT_OF_RANGE:
        return out_of_bounds(request.range.first, result.total or 0).body
    return b"" if request.is_head else result.body


def _read(request: Request, plan: Plan, result: Result, query_text: str) -> Answer:
    status, headers = _ranged(request, result)
    query = canonical_query(query_text)
    headers["Content-Location"] = f"/{request.name.name}{f'?{query}' if query else ''}"
    headers |= _content(request, plan) | _applied(request)
    return Answer(status, headers, _body(request, result, status))


def _insert(request: Request, plan: Plan, result: Result, _: str) -> Answer:
    write = plan.write
    kinds = ["returned", "missing"] + ["resolution"] * bool(write and write.conflict)
    headers = {"Content-Range": _changed(request, result, 1, 0)} | _applied(request, *kinds)
    if result.location:
        pairs = (pair.partition("=") for pair in result.location)
        keys = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, _, value in pairs)
        headers["Location"] = f"/{request.name.name}?{keys}"
    inserted = result.page if result.inserted is None else result.inserted
    status = 200 if request.preferences.resolution == "merge-duplicates" and inserted <= 0 else 201
    return _written(request, plan, result, (status, status), headers)


def _update(request: Request, plan: Plan, result: Result, _: str) -> Answer:
    headers = {"Content-Range": _changed(request, result, 0, result.page - 1)}
    headers |= _applied(request, "returned", "missing", "max_affected")
    return _written(request, plan, result, (204, 200), headers)


def _delete(request: Request, plan: Plan, result: Result, _: str) -> Answer:
    headers = {"Content-Range": _changed(request, result, 1, 0)} | _applied(request, "returned", "max_affected")
    return _written(request, plan, result, (204, 200), headers)


def _put(request: Request, plan: Plan, result: Result, _: str) -> Answer:
    with_rows = 201 if (result.inserted or 0) > 0 else 200
    return _written(request, plan, result, (204, with_rows), _applied(request, "returned"))


def _changed(request: Request, result: Result, first: int, last: int) -> str:
    counted = request.preferences.count in {"exact", "estimated"}
    return content_range(first, last, result.page if counted else None)


def _written(
    request: Request, plan: Plan, result: Result, statuses: tuple[int, int], headers: dict[str, str]
) -> Answer:
    bare, with_rows = statuses
    if not request.preferences.wants_rows:
        return Answer(bare, headers)
    return Answer(with_rows, headers | _content(request, plan), result.body)


def _call(request: Request, plan: Plan, result: Result, _: str) -> Answer:
    status, headers = _ranged(request, result)
    headers |= _applied(request, "max_affected")
    if plan.call and plan.call.function.returns_void:
        return Answer(204, headers)
    return Answer(status, headers | _content(request, plan), _body(request, result, status))


def _overridden(given: Answer, result: Result) -> Answer:
    if result.headers is None and result.status is None:
        return given
    status = given.status if result.status is None else _set_status(result.status)
    set_by_sql = () if result.headers is None else _set_headers(result.headers)
    lower = {name.lower() for name, _ in set_by_sql}
    headers = {name: value for name, value in given.headers.items() if name.lower() not in lower}
    return Answer(status, headers, given.body, set_by_sql=set_by_sql)


def _set_status(text: str) -> int:
    match = re.match("[0-9]+", text, re.ASCII)
    if not match or len(match[0]) > len("999") or int(match[0]) not in FINAL_STATUSES:
        raise RestError(_INTERNAL, "PGRST112", "response.status guc must be a valid status code")
    return int(match[0])


def _set_headers(text: str) -> tuple[tuple[str, str], ...]:
    try:
        items = json.loads(text)
        pairs = [pair for item in items for pair in item.items() if len(item) == 1]
    except (ValueError, AttributeError, TypeError, RecursionError):
        items, pairs = None, []
    if not isinstance(items, list) or len(pairs) != len(items) or not are_headers(pairs):
        message = "response.headers guc must be a JSON array composed of objects with a single key and a string value"
        raise RestError(_INTERNAL, "PGRST111", message)
    return tuple(pairs)
