"""How the statements of a file are run: which of them together, in one transaction.

The Supabase CLI sends a file as one implicit transaction. In that, Postgres refuses what needs an explicit one, such as
`savepoint`; and what can only run outside of transactions runs alone, after which what came before it stays, whatever
happens later. Here a file's own `begin` and `commit` cannot cut it in two: a failing file leaves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supalocal.project.statements import Statement

_MARK = "the_file_began"
_BEGIN = re.compile(r"(begin|start transaction)\b.*")
_COMMIT = re.compile(r"(commit|end)( work| transaction)?( and no chain)?")
_ROLLBACK = re.compile(r"(rollback|abort)( work| transaction)?( and no chain)?")
_ALONE = re.compile(
    r"(create( unique)?|drop) index concurrently\b.*|reindex\b.* concurrently\b.*|vacuum\b.*"
    r"|(create|drop) (database|tablespace)\b.*|alter system\b.*"
)
_SAVEPOINT = re.compile(r"(savepoint|release|rollback( work| transaction)? to)\b.*")
_COPY = re.compile(r"copy\b.* (from stdin|to stdout)\b.*")


@dataclass(frozen=True, slots=True)
class Step:
    """What is sent to Postgres for a statement of the file; nothing if `refusal` says why that cannot be."""

    statement: Statement
    sql: str
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Steps that are run together; without a transaction it is one step that Postgres runs outside of one only."""

    steps: list[Step]
    in_transaction: bool = True


def batches(statements: Iterable[Statement]) -> list[Batch]:
    """A file's steps in their order. The last batch, which may have none, is a transaction."""
    listed = [Batch([])]
    has_begun = False
    for statement in statements:
        words = statement.words
        if _ALONE.fullmatch(words) and not has_begun:
            listed += [Batch([Step(statement, statement.text)], in_transaction=False), Batch([])]
            continue
        sql, has_begun = _bounded(statement, has_begun=has_begun)
        if sql:
            listed[-1].steps.append(Step(statement, sql, _refusal(words, has_begun=has_begun)))
    if has_begun:
        # The CLI's answer to it: everything is undone, nothing is recorded, and no word is said.
        last = listed[-1].steps.pop()
        listed[-1].steps.append(Step(last.statement, last.sql, "the file begins a transaction and never commits it"))
    return listed


def _bounded(statement: Statement, *, has_begun: bool) -> tuple[str, bool]:
    """What is sent for the statement, and whether the file is in a transaction of its own afterwards.

    Outside of one Postgres does nothing at `commit` and `rollback` but warn, and so at a second `begin` inside.
    """
    if _BEGIN.fullmatch(statement.words):
        return "" if has_begun else f"savepoint {_MARK}", True
    if _COMMIT.fullmatch(statement.words):
        return f"release savepoint {_MARK}" if has_begun else "", False
    if _ROLLBACK.fullmatch(statement.words):
        return f"rollback to savepoint {_MARK}" if has_begun else "", False
    return statement.text, has_begun


def _refusal(words: str, *, has_begun: bool) -> str | None:
    if _COPY.fullmatch(words):
        return "COPY from stdin or to stdout has no place in a migration; write insert statements"
    if _SAVEPOINT.fullmatch(words) and not has_begun:
        kind = words.split(maxsplit=1)[0].upper()
        return f"{kind} can only be used in transaction blocks: put begin and commit around it"
    return None
