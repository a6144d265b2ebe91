"""Which relationship an embed means."""

import pytest

from supalocal.rest.configuration import Configuration
from supalocal.rest.embedding import find_relationship
from supalocal.rest.errors import SchemaError
from supalocal.rest.schema import Cardinality, Junction, Name, Relationship, Schema

ACTORS, FILMS, ROLES = Name("public", "actors"), Name("public", "films"), Name("hidden", "roles")
THROUGH_ROLES = Relationship(
    ACTORS,
    FILMS,
    Cardinality.MANY_TO_MANY,
    junction=Junction(ROLES, "role_actor", "role_film", (("actor_id", "id"),), (("film_id", "id"),)),
)


def knowing(*relationships: Relationship, exposed: tuple[str, ...] = ("public",)) -> Schema:
    by_table: dict[Name, tuple[Relationship, ...]] = {}
    for relationship in relationships:
        by_table[relationship.table] = (*by_table.get(relationship.table, ()), relationship)
    return Schema(relationships=by_table, configuration=Configuration(exposed))


def to_one(table: Name, target: Name) -> Relationship:
    return Relationship(table, target, Cardinality.MANY_TO_ONE, "key", (("target_id", "id"),))


def hint(schema: Schema, origin: Name, target: str) -> str | None:
    with pytest.raises(SchemaError) as caught:
        find_relationship(schema, origin, target, None)
    return caught.value.hint


def test_an_exposed_table_between_two_is_gone_through():
    """A table of any exposed schema may stand between two."""
    schema = knowing(THROUGH_ROLES, exposed=("public", "hidden"))
    assert find_relationship(schema, ACTORS, "films", None) == THROUGH_ROLES


def test_a_hidden_table_between_two_is_not_gone_through():
    """What is not exposed relates nothing, and where it is all that there was, nothing is suggested."""
    assert hint(knowing(THROUGH_ROLES), ACTORS, "films") is None


def test_a_misspelt_target_is_corrected():
    """The suggestion is one of the tables that the origin leads to."""
    schema = knowing(to_one(ACTORS, Name("public", "studios")))
    assert hint(schema, ACTORS, "studio") == "Perhaps you meant 'studios' instead of 'studio'."


def test_an_origin_that_leads_nowhere_is_corrected():
    """The suggestion is an exposed table that leads somewhere in the schema."""
    schema = knowing(
        to_one(ACTORS, FILMS), to_one(Name("hidden", "actor_"), FILMS), to_one(Name("public", "actora"), ROLES)
    )
    assert hint(schema, Name("public", "actor"), "films") == "Perhaps you meant 'actors' instead of 'actor'."
