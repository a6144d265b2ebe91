"""The plan of a read: a tree of selects, one for the table and one for each embed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from supalocal.rest.embedding import find_relationship
from supalocal.rest.errors import RestError
from supalocal.rest.filters import Condition, EmbedPath, Filter, Group, Is
from supalocal.rest.ranges import EVERY_ROW, Range
from supalocal.rest.schema import Name, Relationship, Schema, Table
from supalocal.rest.select import EVERYTHING, Column, Embed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from supalocal.rest.order import OrderTerm

# The rows that a write or a call hands to the read around it.
SOURCE = Name("", "pgrst_source")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EmbedIsNull:
    """`embed=is.null`: no embedded row; negated, at least one."""

    alias: str
    negated: bool


@dataclass(frozen=True, slots=True)
class AnyGroup:
    """A logic group whose members may speak of embeds."""

    members: tuple[Where, ...]
    any_of: bool
    negated: bool


Where = Filter | EmbedIsNull | AnyGroup


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A function over one of the columns that a spread gives to the row around it."""

    column: str
    function: str
    cast: str | None


@dataclass(frozen=True, slots=True)
class Read:
    """One select."""

    source: Name
    alias: str | None
    table: Table | None  # what is known of the columns
    columns: tuple[Column, ...]
    where: tuple[Where, ...] = ()
    order: tuple[OrderTerm, ...] = ()
    range: Range = EVERY_ROW
    joins: tuple[Join, ...] = ()

    @property
    def qualifier(self) -> Name:
        """The name that its columns are written with."""
        return Name("", self.alias) if self.alias else self.source

    @property
    def is_aggregated(self) -> bool:
        """Whether its rows are grouped."""
        return any(column.aggregate for column in self.columns) or any(join.aggregates for join in self.joins)

    @property
    def is_hidden(self) -> bool:
        """Whether nothing of it is shown: it was embedded only to filter by it."""
        return not self.columns and all(join.read.is_hidden for join in self.joins)


@dataclass(frozen=True, slots=True)
class Join:
    """An embedded read and how it hangs on the read around it."""

    read: Read
    relationship: Relationship
    parent: Name  # the qualifier of the read around it
    key: str
    alias: str
    inner: bool
    spread: bool
    aggregates: tuple[Aggregate, ...] = ()  # over columns that it spreads

    @property
    def is_gathered(self) -> bool:
        """Whether each of its columns is a list of the rows' values beside the row around it."""
        return self.spread and not self.relationship.is_to_one


class _Parts(NamedTuple):
    """What the query string says about one read and the embeds in it."""

    conditions: tuple[tuple[EmbedPath, Condition], ...]
    orders: tuple[tuple[EmbedPath, tuple[OrderTerm, ...]], ...]
    ranges: tuple[tuple[EmbedPath, Range], ...]

    def paths(self) -> Iterator[EmbedPath]:
        for part in self:
            yield from (path for path, _ in part)

    def of(self, embed: Embed, siblings: Sequence[Embed]) -> _Parts:
        return _Parts(
            tuple(_inside(self.conditions, embed, siblings)),
            tuple(_inside(self.orders, embed, siblings)),
            tuple(_inside(self.ranges, embed, siblings)),
        )


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a read is planned from."""

    schema: Schema
    source: Name
    alias: str | None
    table: Name
    items: tuple[Column | Embed, ...]
    conditions: tuple[tuple[EmbedPath, Condition], ...]
    orders: tuple[tuple[EmbedPath, tuple[OrderTerm, ...]], ...]
    ranges: tuple[tuple[EmbedPath, Range], ...]
    max_rows: int | None


def plan_read(asked: ReadRequest) -> Read:
    """The tree of selects; raises PGRST108, 118, 200 or 201 for what cannot be embedded as asked."""
    parts = _Parts(asked.conditions, asked.orders, asked.ranges)
    for path in parts.paths():
        _check_path(path, asked.items)
    root = Read(asked.source, asked.alias, asked.schema.tables.get(asked.table), ())
    return _filled(asked, root, asked.table, asked.items, parts, 0)


def _check_path(path: EmbedPath, items: Iterable[Column | Embed]) -> None:
    for name in path:
        embed = _first(name, [item for item in items if isinstance(item, Embed)])
        if embed is None:
            raise not_embedded(name)
        items = embed.items


def _first(name: str, embeds: Sequence[Embed]) -> Embed | None:
    return next((embed for embed in embeds if name in {embed.name, embed.alias}), None)


def not_embedded(name: str) -> RestError:
    hint = f"Verify that '{name}' is included in the 'select' query parameter."
    return RestError(400, "PGRST108", f"'{name}' is not an embedded resource in this request", hint=hint)


def _inside(
    parts: Sequence[tuple[EmbedPath, T]], embed: Embed, siblings: Sequence[Embed]
) -> Iterator[tuple[EmbedPath, T]]:
    for path, part in parts:
        if path and _first(path[0], siblings) is embed:
            yield path[1:], part


def _own(parts: Iterable[tuple[EmbedPath, T]]) -> list[T]:
    return [part for path, part in parts if not path]


def _filled(
    asked: ReadRequest, read: Read, name: Name, items: Sequence[Column | Embed], parts: _Parts, depth: int
) -> Read:
    embeds = [item for item in items if isinstance(item, Embed)]
    arranged = _arranged(embeds, parts)
    joins = tuple(_join(asked, read, name, embed, parts.of(embed, embeds), depth + 1) for embed in arranged)
    columns = tuple(item for item in items if isinstance(item, Column))
    order = next(iter(_own(parts.orders)), ())
    return replace(
        read,
        columns=columns if columns or joins or depth else (Column(EVERYTHING),),
        # Trees stand before single conditions, so that of two that fail it is the tree's error that is told.
        where=tuple(_where(one, joins) for one in sorted(_own(parts.conditions), key=_is_filter)),
        order=tuple(_related_order(term, joins, name) for term in order),
        range=next(iter(_own(parts.ranges)), EVERY_ROW).capped(asked.max_rows),
        joins=joins,
    )


def _is_filter(condition: Condition) -> bool:
    return isinstance(condition, Filter)


def _arranged(embeds: Sequence[Embed], parts: _Parts) -> list[Embed]:
    """The embeds in PostgREST's order: what it adds a filter, an order, a range or a tree to moves to the front."""
    filters = [path for path, condition in parts.conditions if _is_filter(condition)]
    trees = [path for path, condition in parts.conditions if not _is_filter(condition)]
    orders, ranges = ([path for path, _ in part] for part in (parts.orders, parts.ranges))
    arranged = list(embeds)
    for paths in (filters, orders, ranges, trees):
        for path in reversed(paths):
            embed = _first(path[0], arranged) if path else None
            if embed:
                arranged.remove(embed)
                arranged.insert(0, embed)
    return arranged


def _join(asked: ReadRequest, parent: Read, origin: Name, embed: Embed, parts: _Parts, depth: int) -> Join:
    relationship = find_relationship(asked.schema, Name(asked.table.schema, origin.name), embed.name, embed.hint)
    target = relationship.target
    alias = None if relationship.junction else f"{target.name}_{depth}"
    table = asked.schema.tables.get(target)
    read = _filled(asked, Read(target, alias, table, ()), target, embed.items, parts, depth)
    if embed.spread and not relationship.is_to_one:
        read = _named(read)
    join_alias = f"{relationship.table.name}_{embed.key}_{depth}"
    return Join(read, relationship, parent.qualifier, embed.key, join_alias, embed.inner, embed.spread)


def _named(read: Read) -> Read:
    """The same read with each column by its name, and so the reads in it: they are gathered one by one."""
    columns = tuple(without_stars(read.columns, read.table)) if read.table else read.columns
    joins = tuple(replace(join, read=_named(join.read)) for join in read.joins)
    return replace(read, columns=columns, joins=joins)


def without_stars(columns: Iterable[Column], table: Table) -> Iterator[Column]:
    """The columns, with those of the table in place of `*`."""
    for column in columns:
        if column.field == EVERYTHING and column.aggregate is None:
            yield from (Column(replace(EVERYTHING, name=name)) for name in table.columns)
        else:
            yield column


def _where(condition: Condition, joins: Sequence[Join]) -> Where:
    if isinstance(condition, Group):
        members = tuple(_where(member, joins) for member in condition.members)
        return AnyGroup(members, condition.any_of, condition.negated)
    if condition.operation != Is("null") or condition.field.path:
        return condition
    join = next((join for join in joins if join.key == condition.field.name), None)
    return EmbedIsNull(join.alias, condition.negated) if join else condition


def _related_order(term: OrderTerm, joins: Sequence[Join], name: Name) -> OrderTerm:
    if term.relation is None:
        return term
    join = next((join for join in joins if join.key == term.relation), None)
    if join is None:
        raise not_embedded(term.relation)
    if not join.relationship.is_to_one:
        details = f"'{name.name}' and '{join.key}' do not form a many-to-one or one-to-one relationship"
        raise RestError(400, "PGRST118", f"A related order on '{join.key}' is not possible", details)
    return replace(term, relation=join.alias)
