"""Which table column each column of a view shows, read from the view's stored rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from supalocal.rest.schema import Name

# A node tree is braces, parentheses and `:field value` pairs; a backslash protects the character behind it.
_TOKEN = re.compile(r"[{}()]|(?:\\.|[^\s{}()\\])+", re.DOTALL)
_ENTRY_FIELDS = {":resno", ":resorigtbl", ":resorigcol"}
_ENTRY_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view, as rules of views speak of it."""

    oid: str
    name: Name
    columns: Mapping[str, str]  # by their number


@dataclass(frozen=True, slots=True)
class View:
    """A view, and where its columns come from."""

    name: Name
    origins: Mapping[str, tuple[Name, str]]  # view column -> table and its column


def views(rules: Sequence[tuple[str, Name, str]], relations: Iterable[Relation]) -> list[View]:
    """The views, each column followed through views of views down to its table."""
    known = {relation.oid: relation for relation in relations}
    direct = {oid: dict(shown_columns(rule)) for oid, _, rule in rules}
    return [View(name, _origins(oid, direct, known)) for oid, name, _ in rules if oid in known]


def _origins(
    view: str, direct: Mapping[str, Mapping[str, tuple[str, str]]], known: Mapping[str, Relation]
) -> dict[str, tuple[Name, str]]:
    origins = {}
    for number, (oid, column) in direct[view].items():
        source, position = oid, column
        while source in direct:
            source, position = direct[source].get(position, ("0", "0"))
        shown = known[view].columns.get(number)
        if shown and source in known and position in known[source].columns:
            origins[shown] = (known[source].name, known[source].columns[position])
    return origins


def shown_columns(rule: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """(number of the view's column, (table's oid, number of its column)) for columns shown as they are."""
    for entry in _entries(rule):
        if entry.get(":resorigtbl", "0") != "0":
            yield entry[":resno"], (entry[":resorigtbl"], entry[":resorigcol"])


def _entries(rule: str) -> Iterator[dict[str, str]]:
    # Only the target list of the outermost query counts: fields of nodes two braces deep, after its own field name.
    depth, in_targets, field = 0, False, ""
    entry: dict[str, str] = {}
    for part in _TOKEN.findall(rule):
        if part == "{":
            depth += 1
        elif part == "}":
            if depth == _ENTRY_DEPTH and in_targets and entry:
                yield entry
                entry = {}
            depth -= 1
        elif depth == 1 and part.startswith(":"):
            in_targets = part == ":targetList"
        elif depth == _ENTRY_DEPTH and in_targets:
            if field in _ENTRY_FIELDS:
                entry[field] = part
            field = part
