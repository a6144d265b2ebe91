"""Names of columns and paths into JSON, as they stand in select, filters and order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from supalocal.rest.combinators import (
    Parser,
    attempt,
    between,
    char,
    character,
    characters,
    end_of_input,
    look_ahead,
    many,
    not_followed_by,
    option,
    separated,
    sequence,
    string,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JsonStep:
    """One `->` or `->>` of a path, with the key or index after it."""

    operand: str
    is_index: bool
    as_text: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A column, and the way into its JSON."""

    name: str
    path: tuple[JsonStep, ...] = ()

    @property
    def result_key(self) -> str | None:
        """The key a path has in the answer: its last key, or the column if the path is all indexes."""
        if not self.path:
            return None
        return next((step.operand for step in reversed(self.path) if not step.is_index), self.name)


def lexeme(parser: Parser[T]) -> Parser[T]:
    """Like `parser`, with blanks allowed around it."""
    return between(blanks, blanks, parser)


def _dashed(part: Parser[str]) -> Parser[str]:
    # A dash belongs to a name unless it begins an arrow.
    return separated(part, attempt(char("-") << not_followed_by(">", '">"'))).map("-".join)


def _step(values: tuple[Any, ...]) -> JsonStep:
    as_text, (operand, is_index) = values
    return JsonStep(operand, is_index, as_text)


blanks = characters(r"[ \t]", least=0)
identifier = characters(r"[^\W\d_]|[0-9_ $]", "letter", "digit").map(str.strip)
quoted = between(char('"'), char('"'), many(character(r'[^\\"]') | (char("\\") >> character(".")))).map("".join)
delimiter = char(".").label("delimiter (.)")
name = (quoted | _dashed(identifier)).label("field name (* or [a..z0..9_$])")
names = separated(name, lexeme(char(",")))

_json_key = (quoted | _dashed(characters(r"[^(\-:.,>)]").map(str.strip))).label(
    "any non reserved character different from: .,>()"
)
_index_end = (
    attempt(look_ahead(string("->")))
    | attempt(look_ahead(string("::")))
    | attempt(look_ahead(string(".")))
    | attempt(look_ahead(string(",")))
    | attempt(end_of_input)
)
_json_index = sequence(option("+", char("-")), characters("[0-9]", "digit")).map("".join) << _index_end
_json_operand = attempt(_json_index.map(lambda text: (text, True))) | attempt(_json_key.map(lambda text: (text, False)))
_arrow = attempt(string("->>")).map(lambda _: True) | attempt(string("->")).map(lambda _: False)

json_path = many(sequence(_arrow, _json_operand).map(_step)).map(tuple)
field = lexeme(sequence(name, option((), json_path))).map(lambda pair: Field(pair[0], pair[1]))


def _split_path(values: tuple[Any, ...]) -> tuple[tuple[str, ...], Field]:
    parts, path = values
    return tuple(parts[:-1]), Field(parts[-1], path)


# `a.b.column->key`: the embeds a, then b, and in it the field.
tree_path = sequence(separated(name, delimiter), option((), json_path)).map(_split_path)
