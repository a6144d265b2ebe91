"""Decides whether a changed row passes a filter, with the meaning that its column's type gives the comparison."""

import itertools
import re
from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.changes import Change, text_of
from supalocal.realtime.filters import Filter, Operator

QUESTIONS = 500
"""How many comparisons one query makes."""
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

# Types whose every comparison exists and whose values read back as they were written: null is null, and no cast fails.
_SCALARS = (
    _INTEGERS
    | _TEXTS
    | {
        "uuid",
        "boolean",
        "numeric",
        "real",
        "double precision",
        "date",
        "timestamp with time zone",
        "timestamp without time zone",
    }
)

Question = tuple[Operator, str, str | None, str]
"""A comparison for the database: operator, column type, the row's value, the filter's."""


class _Undecided:
    """Stands for an answer that only the database has."""


_UNDECIDED = _Undecided()


class Matcher:
    """Answers filters over a batch of changes; each distinct comparison is made once."""

    def __init__(self) -> None:
        self._answers: dict[Question, bool | None] = {}
        self._open: dict[Question, None] = {}

    def prepare(self, change: Change, filters: tuple[Filter, ...]) -> None:
        """Note what of these filters only the database can decide."""
        for condition in filters:
            question = _question(change, condition)
            if question and question not in self._answers and _decide(question) is _UNDECIDED:
                self._open[question] = None

    async def ask(self, connection: psycopg.AsyncConnection) -> None:
        """Have the database decide what was noted; psycopg.Error when it cannot compare."""
        while asked := list(itertools.islice(self._open, QUESTIONS)):
            sql = queries.comparisons([(operator, sql_type) for operator, sql_type, _, _ in asked])
            cursor = await connection.execute(
                sql.encode(), [text for *_, left, right in asked for text in (left, right)]
            )
            row = await cursor.fetchone()
            self._answers.update(zip(asked, row[0] if row else (), strict=True))
            for question in asked:
                del self._open[question]

    def passes(self, change: Change, filters: tuple[Filter, ...]) -> bool:
        """Say whether the row meets all conditions; a column that the row lacks meets none."""
        return all(self._holds(change, condition) for condition in filters)

    def _holds(self, change: Change, condition: Filter) -> bool:
        question = _question(change, condition)
        if question is None:
            return False
        known = _decide(question)
        answer = self._answers[question] if isinstance(known, _Undecided) else known
        # SQL's unknown stays unknown when negated: it never matches.
        return answer is not None and answer is not condition.negated


def _question(change: Change, condition: Filter) -> Question | None:
    raw = change.filterable.get(condition.column)
    sql_type = next((column.sql_type for column in change.table.columns if column.name == condition.column), None)
    if raw is None or sql_type is None:
        return None
    return condition.operator, sql_type, text_of(raw), condition.value


def _decide(question: Question) -> bool | _Undecided | None:
    """Return the answer for types whose comparison is plain; the others are the database's."""
    operator, sql_type, value, wanted = question
    if operator is Operator.IS and value is None:
        return wanted in {"null", "unknown"}
    if sql_type not in _SCALARS:
        return _UNDECIDED
    if operator is Operator.IS:
        return wanted != "null" and value == wanted
    if operator is Operator.IN and wanted == "{}":
        return False
    if value is None:
        return True if operator is Operator.IS_DISTINCT else None
    return (
        _decide_list(sql_type, value, wanted)
        if operator is Operator.IN
        else _compare(operator, sql_type, value, wanted)
    )


def _compare(operator: Operator, sql_type: str, value: str, wanted: str) -> bool | _Undecided:
    if sql_type in _INTEGERS and _INTEGER.fullmatch(wanted):
        comparison = _INTEGER_COMPARISONS.get(operator)
        return comparison(int(value), int(wanted)) if comparison else _UNDECIDED
    if sql_type == "uuid" and _UUID.fullmatch(wanted):
        wanted = wanted.lower()
    elif sql_type not in _TEXTS and (sql_type != "boolean" or wanted not in {"true", "false"}):
        return _UNDECIDED
    return (value == wanted) is (operator is Operator.EQ) if operator in _EQUALITY else _UNDECIDED


def _decide_list(sql_type: str, value: str, wanted: str) -> bool | _Undecided:
    items = wanted[1:-1].split(",") if _PLAIN_LIST.fullmatch(wanted) else []
    if not items or any(item.lower() == "null" for item in items):
        return _UNDECIDED
    if sql_type in _TEXTS:
        return value in items
    if sql_type == "uuid" and all(_UUID.fullmatch(item) for item in items):
        return value in {item.lower() for item in items}
    if sql_type in _INTEGERS and all(_INTEGER.fullmatch(item) for item in items):
        return int(value) in set(map(int, items))
    return _UNDECIDED
