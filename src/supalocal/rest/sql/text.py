"""The pieces of SQL text: quoted names, values as parameters, finished statements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supalocal.rest.schema import Name

Value = str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with $1, $2, ... and their values. Values travel untyped, so that PostgreSQL decides what they are."""

    text: str
    values: tuple[Value, ...] = ()


class Values:
    """Collects the values of one statement."""

    def __init__(self) -> None:
        self._values: list[Value] = []

    def add(self, value: Value) -> str:
        """The placeholder that stands for the value."""
        self._values.append(value)
        return f"${len(self._values)}"

    def statement(self, text: str) -> Statement:
        return Statement(text, tuple(self._values))


@lru_cache(maxsize=4096)
def quoted(name: str) -> str:
    """An identifier that means exactly `name`."""
    return '"' + name.partition("\0")[0].replace('"', '""') + '"'


def type_name(text: str) -> str:
    """A type as the grammar lets a cast name it: words of letters, digits, `_` and `$`.

    Keywords such as `int` or `double precision` lose their meaning in quotes, so only a word with a `$`, which could
    open a dollar-quoted string, is quoted.
    """
    return " ".join(quoted(word) if "$" in word else word for word in text.split(" "))


def qualified(name: Name) -> str:
    return f"{quoted(name.schema)}.{quoted(name.name)}" if name.schema else quoted(name.name)


def reference(qualifier: str, column: str) -> str:
    """A column, or all of them for `*`; the qualifier is SQL already."""
    return f"{qualifier}.{'*' if column == '*' else quoted(column)}"


def array_literal(values: Iterable[str]) -> str:
    """PostgreSQL's text form of an array, to be sent as a value."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"


def settings_statement(settings: Iterable[tuple[str, str]]) -> Statement:
    """Sets all of these for the transaction, in their order."""
    values = [part for pair in settings for part in pair]
    return Statement(_settings_text(len(values)), tuple(values))


@lru_cache(maxsize=64)
def _settings_text(count: int) -> str:
    return f"select {', '.join(f'set_config(${n}, ${n + 1}, true)' for n in range(1, count, 2))}"


def first_statement(path: Iterable[str]) -> Statement:
    """Calls the function that runs before every request."""
    return Statement(f"select {'.'.join(map(quoted, path))}()")
