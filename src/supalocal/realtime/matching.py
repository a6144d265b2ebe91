"""Decides whether a changed row passes a filter, with the meaning that its column's type gives the comparison."""

import re
from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.changes import Change, Row, text_of
from supalocal.realtime.filters import Filter, Operator
from supalocal.realtime.tables import Table

_INTEGER = re.compile(r"-?\d{1,19}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_TEXTS = frozenset({"text", "character varying"})
_EQUALITY = frozenset({Operator.EQ, Operator.NEQ, Operator.IS_DISTINCT})
_PLAIN_LIST = re.compile(r"\{[A-Za-z0-9_-]+(?:,[A-Za-z0-9_-]+)*\}")
_INTEGER_COMPARISONS: dict[Operator, Callable[[int, int], bool]] = {
    Operator.EQ: eq,
    Operator.NEQ: ne,
    Operator.IS_DISTINCT: ne,
    Operator.LT: lt,
    Operator.LTE: le,
    Operator.GT: gt,
    Operator.GTE: ge,
}

Question = tuple[Operator, str, str, str]
"""A comparison for the database: operator, column type, the row's value, the filter's."""


class Matcher:
    """Answers filters over a batch of changes; each distinct comparison is made once."""

    def __init__(self) -> None:
        self._answers: dict[Question, bool | None] = {}
        self._open: dict[Question, None] = {}

    def prepare(self, change: Change, filters: tuple[Filter, ...]) -> None:
        """Note what of these filters only the database can decide."""
        for condition in filters:
            question = _question(change.table, change.filterable, condition)
            if question and question not in self._answers and _decide(question) is None:
                self._open[question] = None

    async def ask(self, connection: psycopg.AsyncConnection) -> None:
        """Have the database decide what was noted; psycopg.Error when it cannot compare."""
        if not self._open:
            return
        sql = queries.comparisons([(operator, sql_type) for operator, sql_type, _, _ in self._open])
        cursor = await connection.execute(
            sql.encode(), [text for *_, left, right in self._open for text in (left, right)]
        )
        row = await cursor.fetchone()
        self._answers.update(zip(self._open, row[0] if row else (), strict=True))
        self._open.clear()

    def passes(self, change: Change, filters: tuple[Filter, ...]) -> bool:
        """Say whether the row meets all conditions; a column that the row lacks meets none."""
        return all(self._holds(change, condition) for condition in filters)

    def _holds(self, change: Change, condition: Filter) -> bool:
        raw = change.filterable.get(condition.column)
        if raw is None:
            return False
        answer = self._answer(change, condition, text_of(raw))
        # SQL's unknown stays unknown when negated: it never matches.
        return answer is not None and answer is not condition.negated

    def _answer(self, change: Change, condition: Filter, value: str | None) -> bool | None:
        if condition.operator is Operator.IS:
            return _is(value, condition.value)
        if value is None:
            return True if condition.operator is Operator.IS_DISTINCT else None
        question = _question(change.table, change.filterable, condition)
        if question is None:
            return None
        known = _decide(question)
        return self._answers[question] if known is None else known


def _is(value: str | None, keyword: str) -> bool:
    return value is None if keyword in {"null", "unknown"} else value == keyword


def _question(table: Table, row: Row, condition: Filter) -> Question | None:
    value = text_of(row.get(condition.column, "null"))
    if value is None or condition.operator is Operator.IS:
        return None
    sql_type = next(column.sql_type for column in table.columns if column.name == condition.column)
    return condition.operator, sql_type, value, condition.value


def _decide(question: Question) -> bool | None:
    """Return the answer for types whose equality is plain, or None when the database must compare."""
    operator, sql_type, value, wanted = question
    if operator is Operator.IN:
        return _decide_list(sql_type, value, wanted)
    if sql_type in _TEXTS and operator in _EQUALITY:
        return (value == wanted) is (operator is Operator.EQ)
    if sql_type == "uuid" and operator in _EQUALITY and _UUID.fullmatch(wanted):
        return (value == wanted.lower()) is (operator is Operator.EQ)
    if sql_type in _INTEGERS and _INTEGER.fullmatch(wanted):
        return _compare(operator, int(value), int(wanted))
    return None


def _decide_list(sql_type: str, value: str, wanted: str) -> bool | None:
    if wanted == "{}":
        return False
    items = wanted[1:-1].split(",") if _PLAIN_LIST.fullmatch(wanted) else []
    if not items or any(item.lower() == "null" for item in items):
        return None
    if sql_type in _TEXTS:
        return value in items
    if sql_type == "uuid" and all(_UUID.fullmatch(item) for item in items):
        return value in {item.lower() for item in items}
    if sql_type in _INTEGERS and all(_INTEGER.fullmatch(item) for item in items):
        return int(value) in set(map(int, items))
    return None


def _compare(operator: Operator, left: int, right: int) -> bool | None:
    comparison = _INTEGER_COMPARISONS.get(operator)
    return comparison(left, right) if comparison else None
