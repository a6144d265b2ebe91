"""Runs a plan in one transaction: settings, role, one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from supalocal.rest.errors import RestError, database_error
from supalocal.rest.media import Form
from supalocal.rest.pipeline import send_all
from supalocal.rest.request import Action
from supalocal.rest.sql import Statement, first_statement, main_statement, plan_rows_statement, settings_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection
    from psycopg.pq.abc import PGresult

    from supalocal.rest.plan import Plan
    from supalocal.rest.request import Request

Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """How a request runs: which settings hold, as whom, and whether it may write."""

    settings: Settings
    reads_only: bool
    isolation: str | None
    is_anonymous: bool
    keeps: bool = True  # what it changed
    calls_first: tuple[str, ...] = ()  # a function, by its path


@dataclass(frozen=True, slots=True)
class Result:
    """What the statement gave: counts of rows, the body as the database wrote it, and what SQL set for the answer."""

    total: int | None
    page: int
    body: bytes
    headers: str | None = None
    status: str | None = None
    location: tuple[str, ...] = ()
    inserted: int | None = None


async def run(
    connection: AsyncConnection[Any], request: Request, plan: Plan, transaction: Transaction, max_rows: int | None
) -> Result:
    """The result; raises RestError for what the database refuses or a preference forbids, with nothing changed."""
    try:
        if not connection.autocommit:
            await connection.set_autocommit(True)
        return await _run(connection, request, plan, transaction, max_rows)
    except psycopg.Error as exc:
        raise _refusal(exc, is_anonymous=transaction.is_anonymous) from exc


async def _run(
    connection: AsyncConnection[Any], request: Request, plan: Plan, transaction: Transaction, max_rows: int | None
) -> Result:
    statements = _statements(request, plan, transaction, max_rows)
    must_check = not plan.reads_only and (_may_refuse(request, plan) or not transaction.keeps)
    if must_check or transaction.isolation is not None:
        return await _run_checked(connection, request, plan, transaction, statements, max_rows)
    results = await send_all(connection, statements)
    return _checked(request, plan, transaction, results, max_rows)


async def _run_checked(
    connection: AsyncConnection[Any],
    request: Request,
    plan: Plan,
    transaction: Transaction,
    statements: list[Statement],
    max_rows: int | None,
) -> Result:
    mode = "read only" if transaction.reads_only else "read write"
    begin = Statement(f"begin isolation level {_isolation(transaction.isolation)} {mode}")
    try:
        results = await send_all(connection, [begin, *statements])
        result = _checked(request, plan, transaction, results, max_rows)
    except BaseException:
        if not connection.closed:
            await send_all(connection, [Statement("rollback")])
        raise
    await send_all(connection, [Statement("commit" if transaction.keeps else "rollback")])
    return result


def _checked(
    request: Request, plan: Plan, transaction: Transaction, results: Sequence[PGresult], max_rows: int | None
) -> Result:
    answers = results[2 if transaction.calls_first else 1 :]
    if plan.media.explain:
        return Result(None, 0, b"\n".join(answers[0].get_value(n, 0) or b"" for n in range(answers[0].ntuples)))
    result = _result(answers, request.preferences.count, max_rows)
    _check(request, plan, result)
    return result


def _statements(request: Request, plan: Plan, transaction: Transaction, max_rows: int | None) -> list[Statement]:
    count = request.preferences.count
    main = main_statement(
        plan,
        count=count in {"exact", "estimated"},
        max_count=max_rows + 1 if count == "estimated" and max_rows is not None else None,
        with_body=_has_body(request, plan),
    )
    read_only = (("transaction_read_only", "on"),) if transaction.reads_only else ()
    statements = [settings_statement([*read_only, *transaction.settings]), main]
    if transaction.calls_first:
        statements.insert(1, first_statement(transaction.calls_first))
    if plan.media.explain:
        return statements
    if count in {"planned", "estimated"} and plan.write is None:
        statements.append(plan_rows_statement(plan))
    return statements


def _has_body(request: Request, plan: Plan) -> bool:
    return not request.is_head and (plan.write is None or request.preferences.wants_rows)


def _may_refuse(request: Request, plan: Plan) -> bool:
    is_single = plan.media.form is Form.ONE_OBJECT
    return is_single or request.action is Action.PUT or request.preferences.strict_max_affected is not None


def _isolation(level: str | None) -> str:
    known = {"serializable", "repeatable read", "read committed", "read uncommitted"}
    return level if level in known else "read committed"


def _result(results: Sequence[PGresult], count: str | None, max_rows: int | None) -> Result:
    main, *explained = results
    total, page, body, headers, status, location, inserted = (main.get_value(0, n) for n in range(7))
    return Result(
        total=_total(None if total is None else int(total), explained, count, max_rows),
        page=int(page or 0),
        body=body or b"",
        headers=headers.decode() if headers is not None else None,
        status=status.decode() if status is not None else None,
        location=_text_array(location),
        inserted=None if inserted is None else int(inserted),
    )


def _total(exact: int | None, explained: Sequence[PGresult], count: str | None, max_rows: int | None) -> int | None:
    if count == "planned" and explained:
        return _expected_rows(explained[0])
    if count == "estimated" and explained and exact is not None and max_rows is not None and exact > max_rows:
        return max(exact, _expected_rows(explained[0]))
    return exact


def _expected_rows(explained: PGresult) -> int:
    return int(json.loads(explained.get_value(0, 0) or b"")[0]["Plan"]["Plan Rows"])


def _text_array(value: bytes | None) -> tuple[str, ...]:
    return tuple(json.loads(value)) if value else ()


def _check(request: Request, plan: Plan, result: Result) -> None:
    if request.action is Action.PUT:
        if result.page != 1:
            raise RestError(400, "PGRST115", "Payload values do not match URL in primary key column(s)")
        return
    if plan.media.form is Form.ONE_OBJECT and result.page != 1:
        message = "Cannot coerce the result to a single JSON object"
        raise RestError(406, "PGRST116", message, f"The result contains {result.page} rows")
    most = request.preferences.strict_max_affected
    if most is not None and result.page > most and request.action in _COUNTED:
        message = "Query result exceeds max-affected preference constraint"
        raise RestError(400, "PGRST124", message, f"The query affects {result.page} rows")


_COUNTED = {Action.UPDATE, Action.DELETE, Action.CALL, Action.CALL_READING}


def _refusal(error: psycopg.Error, *, is_anonymous: bool) -> RestError:
    if error.sqlstate is None:
        if isinstance(error, psycopg.DataError):
            # The driver refuses to send what PostgreSQL would refuse to read.
            message = 'invalid byte sequence for encoding "UTF8": 0x00'
            return database_error("22021", message, None, None, is_anonymous=is_anonymous)
        return RestError(503, "PGRST001", "Database client error. Retrying the connection.", str(error))
    diagnosis = error.diag
    return database_error(
        error.sqlstate,
        diagnosis.message_primary or "",
        diagnosis.message_detail,
        diagnosis.message_hint,
        is_anonymous=is_anonymous,
    )
