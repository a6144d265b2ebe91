"""Which relationship an embed means: `target(...)`, `target!hint(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supalocal.rest.errors import RestError, SchemaError
from supalocal.rest.schema import Cardinality, Name, Relationship, Schema
from supalocal.rest.suggestions import USUAL_SCORE, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence


def find_relationship(schema: Schema, origin: Name, target: str, hint: str | None) -> Relationship:
    """The one relationship from `origin` that fits; raises PGRST200 for none and PGRST201 for several."""
    found = [r for r in _usable(schema, _leading_to(schema, origin, origin.schema)) if _fits(r, target, hint)]
    if not found:
        raise _not_found(schema, origin, target, hint)
    if len(found) > 1:
        raise _ambiguous(found, origin, target)
    return found[0]


def _leading_to(schema: Schema, origin: Name, target_schema: str) -> list[Relationship]:
    return [r for r in schema.relationships.get(origin, ()) if r.target.schema == target_schema]


def _usable(schema: Schema, relationships: Sequence[Relationship]) -> list[Relationship]:
    """Those that go through no table of a schema that is not exposed."""
    exposed = schema.configuration.schemas
    return [r for r in relationships if r.junction is None or r.junction.table.schema in exposed]


def _fits(relationship: Relationship, target: str, hint: str | None) -> bool:
    if relationship.function:
        return relationship.function.name == target
    if relationship.is_self:
        return _fits_self(relationship, target, hint)
    by_table = relationship.target.name == target
    if hint is not None:
        return by_table and _fits_hint(relationship, hint)
    by_key = target in {_constraint(relationship), _own_column(relationship)} and not relationship.target_is_view
    return by_table or by_key


def _fits_self(relationship: Relationship, target: str, hint: str | None) -> bool:
    # A key to the same table is two relationships: the table's name means its many side, the column's its one side.
    many = relationship.target.name == target and relationship.cardinality is Cardinality.ONE_TO_MANY
    if hint is not None:
        return many and _target_column(relationship) == hint
    one = relationship.cardinality is Cardinality.MANY_TO_ONE and _own_column(relationship) == target
    return many or one


def _fits_hint(relationship: Relationship, hint: str) -> bool:
    if relationship.junction:
        return relationship.junction.table.name == hint
    return hint in {_constraint(relationship), _own_column(relationship), _target_column(relationship)}


def _constraint(relationship: Relationship) -> str | None:
    return None if relationship.junction else relationship.constraint


def _own_column(relationship: Relationship) -> str | None:
    return relationship.columns[0][0] if len(relationship.columns) == 1 else None


def _target_column(relationship: Relationship) -> str | None:
    return relationship.columns[0][1] if len(relationship.columns) == 1 else None


def _not_found(schema: Schema, origin: Name, target: str, hint: str | None) -> SchemaError:
    hinted = f" using the hint '{hint}'" if hint is not None else ""
    return SchemaError(
        400,
        "PGRST200",
        f"Could not find a relationship between '{origin.name}' and '{target}' in the schema cache",
        f"Searched for a foreign key relationship between '{origin.name}' and '{target}'{hinted} "
        f"in the schema '{origin.schema}', but no matches were found.",
        _suggestion(schema, origin, target),
    )


def _suggestion(schema: Schema, origin: Name, target: str) -> str | None:
    # Only where the origin leads nowhere at all is it the origin that may be misspelt.
    if related := _leading_to(schema, origin, origin.schema):
        wrong, names = target, {relationship.target.name for relationship in _usable(schema, related)}
    else:
        wrong, names = origin.name, _origins(schema, origin.schema)
    meant = None if wrong in names else nearest(wrong, sorted(names), USUAL_SCORE)
    return f"Perhaps you meant '{meant}' instead of '{wrong}'." if meant else None


def _origins(schema: Schema, target_schema: str) -> set[str]:
    exposed = schema.configuration.schemas
    return {
        name.name
        for name in schema.relationships
        if name.schema in exposed and _leading_to(schema, name, target_schema)
    }


def _ambiguous(found: Sequence[Relationship], origin: Name, target: str) -> RestError:
    choices = ", ".join(f"'{r.target.name}!{_hint(r)}'" for r in found)
    return RestError(
        300,
        "PGRST201",
        f"Could not embed because more than one relationship was found for '{origin.name}' and '{target}'",
        [_described(relationship) for relationship in found],
        f"Try changing '{target}' to one of the following: {choices}. "
        "Find the desired relationship in the 'details' key.",
    )


def _hint(relationship: Relationship) -> str:
    return relationship.junction.table.name if relationship.junction else relationship.constraint


def _described(relationship: Relationship) -> dict[str, Any]:
    table, target = relationship.table.name, relationship.target.name
    if junction := relationship.junction:
        source = ", ".join(column for column, _ in junction.source_columns)
        other = ", ".join(column for column, _ in junction.target_columns)
        way = (
            f"{junction.table.name} using {junction.source_constraint}({source}) "
            f"and {junction.target_constraint}({other})"
        )
    else:
        own = ", ".join(column for column, _ in relationship.columns)
        other = ", ".join(column for _, column in relationship.columns)
        way = f"{relationship.constraint} using {table}({own}) and {target}({other})"
    return {
        "cardinality": relationship.cardinality.value,
        "embedding": f"{table} with {target}",
        "relationship": way,
    }
