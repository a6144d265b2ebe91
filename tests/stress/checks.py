"""What a scenario expects, and how its statements ended."""

from __future__ import annotations

from collections import Counter
from typing import Any

from psycopg import Error

DEADLOCK = "40P01"


class Failed(Exception):
    """A check did not hold; says what was expected and what came."""


def expect(what: str, came: Any, expected: Any) -> None:
    if came != expected:
        raise Failed(f"{what}: expected {shown(expected)}, came {shown(came)}")


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}... ({len(text)} characters)"


class Tally(Counter[tuple[str, str]]):
    """How often each kind of statement ended in which SQLSTATE; "ok" where it succeeded."""

    def __init__(self) -> None:
        super().__init__()
        self._allowed: dict[str, tuple[str, ...]] = {}

    def count(self, kind: str, error: Error | None = None) -> None:
        self[kind, "ok" if error is None else error.sqlstate or "none"] += 1

    def allow(self, kind: str, *sqlstates: str) -> None:
        """What may become of statements of that kind besides success."""
        self._allowed[kind] = sqlstates

    def expect_clean(self) -> None:
        """Fail if anything ended in what it may not."""
        expect(
            "failed statements",
            {
                f"{kind} {state}": number
                for (kind, state), number in sorted(self.items())
                if state != "ok" and state not in self._allowed.get(kind, ())
            },
            {},
        )

    def states(self, kind: str) -> list[str]:
        return [state for name, state in self if name == kind]

    def met(self, sqlstate: str) -> int:
        """How many statements ended so."""
        return sum(number for (_, state), number in self.items() if state == sqlstate)

    def __str__(self) -> str:
        kinds: Counter[str] = Counter()
        for (kind, _), number in self.items():
            kinds[kind] += number
        return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
