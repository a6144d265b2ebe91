"""Relationships that follow from foreign keys, in the order in which errors list them."""

from itertools import permutations

from supalocal.rest.relationships import all_relationships
from supalocal.rest.schema import Cardinality, Name, Relationship, Table

AGENTS, DEPARTMENTS = Name("public", "agents"), Name("public", "departments")
POSTING = Relationship(AGENTS, DEPARTMENTS, Cardinality.MANY_TO_ONE, "posting", (("department_id", "id"),))
HEAD = Relationship(DEPARTMENTS, AGENTS, Cardinality.MANY_TO_ONE, "head", (("head_id", "id"),))
DESK = Relationship(AGENTS, DEPARTMENTS, Cardinality.ONE_TO_ONE, "desk", (("desk_of", "id"),))
VISIT = Relationship(AGENTS, DEPARTMENTS, Cardinality.MANY_TO_ONE, "visit", (("visits", "id"),))
SHIFTS = Name("public", "shifts")
KEYS = (
    Relationship(SHIFTS, AGENTS, Cardinality.MANY_TO_ONE, "shift_agent", (("agent_id", "id"),)),
    Relationship(SHIFTS, DEPARTMENTS, Cardinality.MANY_TO_ONE, "shift_department", (("department_id", "id"),)),
)


def test_relationships_are_sorted_by_cardinality_and_constraint():
    """Many rows come first, then one, then what is one on both sides, then what goes through a table."""
    tables = {SHIFTS: Table(SHIFTS, {}, ("agent_id", "department_id"))}
    for keys in permutations((POSTING, HEAD, DESK, VISIT)):
        found = all_relationships((*keys, *KEYS), (), (), tables)[AGENTS]
        between = [relationship for relationship in found if relationship.target == DEPARTMENTS]
        assert [relationship.constraint for relationship in between] == ["head", "posting", "visit", "desk", ""]
