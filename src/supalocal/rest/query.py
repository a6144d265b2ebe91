"""The query string, split into what each parameter means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from supalocal.rest.combinators import GrammarError
from supalocal.rest.errors import RestError
from supalocal.rest.fields import names, tree_path
from supalocal.rest.filters import (
    Condition,
    EmbedPath,
    Filter,
    Group,
    parse_filter,
    parse_filter_or_argument,
    parse_logic,
)
from supalocal.rest.order import OrderTerm, parse_order
from supalocal.rest.ranges import EVERY_ROW, Range, limit_and_offset, limit_range, offset_range
from supalocal.rest.select import Column, Embed, parse_select

if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN_NAMES = {"select", "columns", "on_conflict"}
_LAST_WORDS = {"order", "limit", "offset", "and", "or"}


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query string. A path names the embeds that lead to where a part belongs; () is the table itself."""

    select: tuple[Column | Embed, ...]
    conditions: tuple[tuple[EmbedPath, Condition], ...] = ()
    orders: tuple[tuple[EmbedPath, tuple[OrderTerm, ...]], ...] = ()
    ranges: dict[EmbedPath, Range] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    filtered_names: frozenset[str] = frozenset()

    @property
    def range(self) -> Range:
        return self.ranges.get((), EVERY_ROW)

    def written_conditions(self) -> tuple[Condition, ...]:
        """What rows to write must meet: with PostgREST that is `or` and `and` of the embeds, too."""
        return tuple(condition for path, condition in self.conditions if not path or isinstance(condition, Group))


def split_query(text: str) -> list[tuple[str, str | None]]:
    """The parameters in their order; None where no value was given at all."""
    pairs = (part.partition("=") for part in re.split("[&;]", text) if part)
    return [(_decoded(name), _decoded(value) if equals else None) for name, equals, value in pairs]


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode(errors="replace")


def canonical_query(text: str) -> str:
    """The query string as Content-Location repeats it: sorted, its values encoded anew."""
    joined: dict[str, str] = {}
    for part in sorted((part.partition("=") for part in re.split("[&;]", text) if part), key=_key):
        name, value = _reencoded(part[0]), _reencoded(part[2])
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return "&".join(f"{name}={value}" for name, value in joined.items())


def _key(part: tuple[str, str, str]) -> bytes:
    return unquote_to_bytes(part[0].replace("+", " "))


def _reencoded(text: str) -> str:
    # PostgREST encodes each byte as if it were a character of its own, and so do we.
    return quote(unquote_to_bytes(text.replace("+", " ")).decode("latin-1"), safe="")


def parse_query(text: str, *, for_call_by_get: bool = False) -> Query:
    """What the query string asks; raises PGRST100. In a GET of a function other parameters are its arguments."""
    given = [(name, value) for name, value in split_query(text) if value is not None]
    try:
        return _parsed(given, for_call_by_get=for_call_by_get)
    except GrammarError as exc:
        raise RestError(400, "PGRST100", exc.message, exc.details) from exc


def _parsed(given: list[tuple[str, str]], *, for_call_by_get: bool) -> Query:
    by_word: dict[str, list[tuple[str, str]]] = {word: [] for word in (*_LAST_WORDS, "")}
    for name, value in given:
        word = name.rpartition(".")[2]
        by_word[word if word in _LAST_WORDS else ""].append((name, value))
    own = {name: value for name, value in reversed(given) if name in _OWN_NAMES}
    tested = [(name, value) for name, value in by_word[""] if name not in _OWN_NAMES]
    orders = tuple((_path(name), parse_order(value)) for name, value in by_word["order"])
    logic = [parse_logic(name, value) for name, value in given if name.rpartition(".")[2] in {"and", "or"}]
    columns = _names("columns", own.get("columns"))
    select = parse_select(own.get("select", "*"))
    filters, arguments = _filters(tested, for_call_by_get=for_call_by_get)
    return Query(
        select=select,
        conditions=(*filters, *logic),
        orders=orders,
        ranges=_ranges(by_word["limit"], by_word["offset"]),
        columns=None if columns is None else tuple(sorted(set(columns))),
        on_conflict=_names("on_conflict", own.get("on_conflict")),
        arguments=tuple(arguments),
        filtered_names=frozenset(name for name, _ in tested),
    )


def _filters(
    tested: Iterable[tuple[str, str]], *, for_call_by_get: bool
) -> tuple[list[tuple[EmbedPath, Filter]], list[tuple[str, str]]]:
    if not for_call_by_get:
        return [parse_filter(name, value) for name, value in tested], []
    filters: list[tuple[EmbedPath, Filter]] = []
    arguments: list[tuple[str, str]] = []
    for name, value in tested:
        first, second = parse_filter_or_argument(name, value)
        if isinstance(first, str):
            arguments.append((first, str(second)))
        elif isinstance(second, Filter):
            filters.append((first, second))
    return filters, arguments


@lru_cache(maxsize=512)
def _names(parameter: str, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    kind = "columns parameter" if parameter == "columns" else "on_conflict parameter"
    return tuple(names.parse(text, f"failed to parse {kind} ({text})"))


@lru_cache(maxsize=512)
def _path(key: str) -> EmbedPath:
    return tree_path.parse(key, f"failed to parse tree path ({key})")[0]


def _ranges(limits: list[tuple[str, str]], offsets: list[tuple[str, str]]) -> dict[EmbedPath, Range]:
    limited = {_path(name): limit_range(value) for name, value in limits}
    moved = {_path(name): offset_range(value) for name, value in offsets}
    both = {path: limit_and_offset(limited[path], moved[path]) for path in limited.keys() & moved.keys()}
    return {**limited, **moved, **both}
