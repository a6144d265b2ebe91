"""All relationships that follow from foreign keys, views and functions."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from supalocal.rest.schema import Cardinality, Junction, Name, Relationship, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from supalocal.rest.views import View


def all_relationships(
    keys: Iterable[Relationship],
    computed: Iterable[Relationship],
    views: Sequence[View],
    tables: Mapping[Name, Table],
) -> dict[Name, tuple[Relationship, ...]]:
    """By table: what foreign keys say in both directions, for views too, and what functions compute instead."""
    own = list(keys)
    forward = [*own, *(relationship for key in own for relationship in _through_views(key, views))]
    found = [*forward, *map(_reversed, forward), *_many_to_many(forward, tables)]
    by_table: dict[Name, list[Relationship]] = {}
    for relationship in found:
        by_table.setdefault(relationship.table, []).append(relationship)
    for relationship in computed:
        _override(by_table.setdefault(relationship.table, []), relationship)
    return {name: tuple(sorted(relationships, key=_rank)) for name, relationships in by_table.items()}


# Ambiguous embeds list their choices in this order.
_CARDINALITIES = (
    Cardinality.ONE_TO_MANY,
    Cardinality.MANY_TO_ONE,
    Cardinality.ONE_TO_ONE,
    Cardinality.MANY_TO_MANY,
)


def _rank(relationship: Relationship) -> tuple[Any, ...]:
    junction = relationship.junction
    return (
        relationship.function is not None,
        relationship.target,
        _CARDINALITIES.index(relationship.cardinality),
        (junction.table, junction.source_constraint, junction.target_constraint) if junction else (),
        relationship.constraint,
        relationship.columns,
    )


def _override(relationships: list[Relationship], computed: Relationship) -> None:
    name = computed.function.name if computed.function else ""
    relationships[:] = [other for other in relationships if other.function or other.target.name != name]
    relationships.append(computed)


def _reversed(relationship: Relationship) -> Relationship:
    is_one_to_one = relationship.cardinality is Cardinality.ONE_TO_ONE
    return replace(
        relationship,
        table=relationship.target,
        target=relationship.table,
        cardinality=Cardinality.ONE_TO_ONE if is_one_to_one else Cardinality.ONE_TO_MANY,
        columns=tuple((other, own) for own, other in relationship.columns),
        table_is_view=relationship.target_is_view,
        target_is_view=relationship.table_is_view,
    )


def _through_views(key: Relationship, views: Sequence[View]) -> Iterator[Relationship]:
    own = [own_column for own_column, _ in key.columns]
    other = [other_column for _, other_column in key.columns]
    sources = [(key.table, own, False), *((v.name, c, True) for v in views for c in _shown(v, key.table, own))]
    targets = [(key.target, other, False), *((v.name, c, True) for v in views for c in _shown(v, key.target, other))]
    for (table, left, is_view), (target, right, target_is_view) in product(sources, targets):
        if is_view or target_is_view:
            columns = tuple(zip(left, right, strict=True))
            yield replace(
                key, table=table, target=target, columns=columns, table_is_view=is_view, target_is_view=target_is_view
            )


def _shown(view: View, table: Name, columns: Sequence[str]) -> Iterator[list[str]]:
    # A view may show a column more than once; each way to see all columns is a relationship.
    choices = [[name for name, origin in view.origins.items() if origin == (table, column)] for column in columns]
    yield from map(list, product(*choices))


def _many_to_many(forward: Sequence[Relationship], tables: Mapping[Name, Table]) -> Iterator[Relationship]:
    by_junction: dict[Name, list[Relationship]] = {}
    for relationship in forward:
        if relationship.cardinality is Cardinality.MANY_TO_ONE:
            by_junction.setdefault(relationship.table, []).append(relationship)
    for junction, keys in by_junction.items():
        for source, target in product(keys, keys):
            if source.constraint != target.constraint and _inside_key(junction, source, target, tables):
                yield _joined(junction, source, target)


def _inside_key(junction: Name, source: Relationship, target: Relationship, tables: Mapping[Name, Table]) -> bool:
    key = tables[junction].key if junction in tables else ()
    return {column for column, _ in (*source.columns, *target.columns)} <= set(key)


def _joined(junction: Name, source: Relationship, target: Relationship) -> Relationship:
    return Relationship(
        source.target,
        target.target,
        Cardinality.MANY_TO_MANY,
        junction=Junction(junction, source.constraint, target.constraint, source.columns, target.columns),
        table_is_view=source.target_is_view,
        target_is_view=target.target_is_view,
    )
