"""Sends several statements in one round trip. What is sent together is one transaction, kept only if all succeed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import generators, pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import AsyncConnection
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

    from supalocal.rest.sql import Statement

_PREPARE_AFTER = 3  # uses, on any connection
_MOST_PREPARED = 500  # statements that a connection keeps
_MOST_COUNTED = 5000

_uses: Counter[str] = Counter()
_prepared: WeakKeyDictionary[AsyncConnection[Any], dict[str, bytes]] = WeakKeyDictionary()


async def send_all(connection: AsyncConnection[Any], statements: Sequence[Statement]) -> list[PGresult]:
    """The result of each; raises psycopg.Error for the first that fails, and then none of them has happened.

    A BEGIN among them starts a transaction that the caller must end, whatever happens.
    """
    values = [list(_encoded(statement.values)) for statement in statements]
    libpq, known = connection.pgconn, _prepared.setdefault(connection, {})
    new: list[str | None] = []  # for each result to come, the statement that it says is prepared now
    libpq.enter_pipeline_mode()
    try:
        for statement, encoded in zip(statements, values, strict=True):
            new += _send(libpq, known, statement.text, encoded)
        libpq.pipeline_sync()
        results = await connection.wait(_exchange(libpq))
    except BaseException:
        # Nobody will read what is still under way; the pool replaces a closed connection.
        await connection.close()
        raise
    libpq.exit_pipeline_mode()
    for text, result in zip(new, results, strict=False):
        if text is not None and result.status != pq.ExecStatus.COMMAND_OK:
            del known[text]
    try:
        return _succeeded(results, connection)
    except psycopg.errors.InvalidSqlStatementName:
        # Somebody's function deallocated what was prepared here: the pool brings a connection that knows so.
        await connection.close()
        raise


def _encoded(values: Iterable[str | None]) -> Iterable[bytes | None]:
    for value in values:
        if value is not None and "\0" in value:
            raise psycopg.DataError("PostgreSQL text cannot contain NUL (0x00) bytes")
        yield None if value is None else value.encode("utf-8", "replace")


def _send(libpq: PGconn, known: dict[str, bytes], text: str, values: list[bytes | None]) -> list[str | None]:
    if text in known:
        libpq.send_query_prepared(known[text], values)
        return [None]
    if not _is_worth_preparing(text) or len(known) >= _MOST_PREPARED:
        libpq.send_query_params(text.encode(), values)
        return [None]
    known[text] = f"rest_{len(known)}_{_uses[text]}".encode()
    libpq.send_prepare(known[text], text.encode())
    libpq.send_query_prepared(known[text], values)
    return [text, None]


def _is_worth_preparing(text: str) -> bool:
    if len(_uses) > _MOST_COUNTED:
        _uses.clear()
    _uses[text] += 1
    return _uses[text] > _PREPARE_AFTER


def _exchange(libpq: PGconn) -> PQGen[list[PGresult]]:
    yield from generators.send(libpq)
    results: list[PGresult] = []
    # Not counted: what is refused only at the end, such as a deferred constraint, is one result more.
    while not results or results[-1].status != pq.ExecStatus.PIPELINE_SYNC:
        results += yield from generators.fetch_many(libpq)
    return results


def _succeeded(results: Iterable[PGresult], connection: AsyncConnection[Any]) -> list[PGresult]:
    rows = []
    for result in results:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result, encoding=connection.info.encoding)
        if result.status == pq.ExecStatus.TUPLES_OK:
            rows.append(result)
    return rows
