"""What a worker asks of the queue."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
from support import rows

STALE = "PT409"

COMPLETE = "select * from complete_message(%(id)s, %(token)s, 'Hola')"
FAIL = "select * from fail_message(%(id)s, %(token)s, 'no engine')"
RELEASE = "select * from release_message(%(id)s, %(token)s)"
EXTEND = "select extend_lease(%(id)s, %(token)s)"


def claim(
    connection: psycopg.Connection,
    limit: int = 10,
    lease: timedelta = timedelta(seconds=30),
    worker: str = "worker",
    *,
    in_order: bool = False,
) -> list[rows.Row]:
    return rows.every(connection, "select * from claim_messages(%s, %s, %s, %s)", worker, limit, lease, in_order)


def tell(connection: psycopg.Connection, call: str, claimed: rows.Row) -> rows.Row:
    """Make one of the calls above with the claim's token."""
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(call, claimed).fetchone()


def told(connection: psycopg.Connection, call: str, claimed: rows.Row) -> str:
    """What became of the call: ok, or the SQLSTATE of the refusal."""
    try:
        tell(connection, call, claimed)
    except psycopg.Error as error:
        return error.sqlstate
    return "ok"


def let_lease_run_out(connection: psycopg.Connection, message: UUID) -> None:
    connection.execute("update private.translation_jobs set leased_until = now() where message_id = %s", [message])


def let_pause_run_out(connection: psycopg.Connection, message: UUID) -> None:
    connection.execute("update private.translation_jobs set next_attempt_at = now() where message_id = %s", [message])
