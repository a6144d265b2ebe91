"""Statements of a test in one line each, and the rows that it starts from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

Row = dict[str, Any]

TIMES_OUT = "set statement_timeout = '20s'"


def every(connection: psycopg.Connection, statement: str, *values: object) -> list[Row]:
    """All rows; none for a statement that returns no rows."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def one(connection: psycopg.Connection, statement: str, *values: object) -> Row:
    """The only row."""
    [row] = every(connection, statement, *values)
    return row


def value(connection: psycopg.Connection, statement: str, *values: object) -> Any:
    """The only value of the only row."""
    [came] = one(connection, statement, *values).values()
    return came


def column(connection: psycopg.Connection, statement: str, *values: object) -> list[Any]:
    """The only value of each row."""
    return [came for row in every(connection, statement, *values) for came in row.values()]


def refusal(connection: psycopg.Connection, statement: str, *values: object) -> psycopg.errors.Diagnostic:
    """What the database says to a statement that it must refuse."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement, values)
    return caught.value.diag


@contextmanager
def acting_as(connection: psycopg.Connection, role: str) -> Iterator[None]:
    """The block runs as that role."""
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    try:
        yield
    finally:
        connection.execute("reset role")


def new_session(connection: psycopg.Connection) -> Row:
    return one(connection, "select * from create_session()")


def joined(connection: psycopg.Connection, session: Row, lang: str | None = "en") -> UUID:
    """A participant's user id; without a language one who joined without a name."""
    if lang is None:
        connection.execute("select join_session(%s)", [session["code"]])
        return value(connection, "select user_id from session_participants where session_id = %s and lang is null"
                                 " order by joined_at desc limit 1", session["id"])  # fmt: skip
    user = uuid4()
    connection.execute("select join_session(%s, %s, %s)", [session["code"], user, lang])
    return user


def new_message(connection: psycopg.Connection, session_id: UUID, **columns: object) -> Row:
    """Insert a message as a client does; these columns in place of the usual ones."""
    row = {"session_id": session_id, "user_id": uuid4(), "original": "Hi", "original_lang": "en", "target_lang": "es"}
    row |= columns
    statement = sql.SQL("insert into messages ({}) values ({}) returning *").format(
        sql.SQL(",").join(map(sql.Identifier, row)), sql.SQL(",").join([sql.Placeholder()] * len(row))
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, list(row.values())).fetchone()
