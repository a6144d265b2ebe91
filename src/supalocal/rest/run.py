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
from supalocal.rest.sql import Statement, first_statement, settings_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection
    from psycopg.pq.abc import PGresult

    from supalocal.rest.body import Payload
    from supalocal.rest.plan import Plan
    from supalocal.rest.prepared import Prepared
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
    connection: AsyncConnection[Any], prepared: Prepared, payload: Payload | None, transaction: Transaction
) -> Result:
    """The result; raises RestError for what the database refuses or a preference forbids, with nothing changed."""
    try:
        if not connection.autocommit:
            await connection.set_autocommit(True)
        return await _run(connection, prepared, transaction, _filled(prepared, payload, transaction))
    except psycopg.Error as exc:
        raise _refusal(exc, is_anonymous=transaction.is_anonymous) from exc


async def _run(
    connection: AsyncConnection[Any], prepared: Prepared, transaction: Transaction, statements: list[Statement]
) -> Result:
    plan = prepared.plan
    must_check = not plan.reads_only and (_may_refuse(prepared.request, plan) or not transaction.keeps)
    if must_check or transaction.isolation is not None:
        return await _run_checked(connection, prepared, transaction, statements)
    return _checked(prepared, transaction, await send_all(connection, statements))


async def _run_checked(
    connection: AsyncConnection[Any], prepared: Prepared, transaction: Transaction, statements: list[Statement]
) -> Result:
    mode = "read only" if transaction.reads_only else "read write"
    begin = Statement(f"begin isolation level {_isolation(transaction.isolation)} {mode}")
    try:
        results = await send_all(connection, [begin, *statements])
        result = _checked(prepared, transaction, results)
    except BaseException:
        if not connection.closed:
            await send_all(connection, [Statement("rollback")])
        raise
    await send_all(connection, [Statement("commit" if transaction.keeps else "rollback")])
    return result


def _filled(prepared: Prepared, payload: Payload | None, transaction: Transaction) -> list[Statement]:
    """All statements of the transaction, with the body in its place."""
    read_only = (("transaction_read_only", "on"),) if transaction.reads_only else ()
    statements = [settings_statement((*read_only, *transaction.settings))]
    if transaction.calls_first:
        statements.append(first_statement(transaction.calls_first))
    if payload is None:
        return [*statements, *prepared.statements]
    return [*statements, *(Statement(one.text, payload.fill(one.values)) for one in prepared.statements)]


def _checked(prepared: Prepared, transaction: Transaction, results: Sequence[PGresult]) -> Result:
    request, plan = prepared.request, prepared.plan
    answers = results[2 if transaction.calls_first else 1 :]
    if plan.media.explain:
        return Result(None, 0, b"\n".join(answers[0].get_value(n, 0) or b"" for n in range(answers[0].ntuples)))
    result = _result(answers, request.preferences.count, prepared.max_rows)
    _check(request, plan, result)
    return result


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
