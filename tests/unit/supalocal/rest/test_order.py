"""`order=` is read as PostgREST reads it."""

import pytest

from supalocal.rest.combinators import GrammarError
from supalocal.rest.fields import Field
from supalocal.rest.order import OrderTerm, parse_order


def test_direction_and_nulls():
    """A term may name its direction and where nulls go."""
    assert parse_order("a.desc.nullslast,b") == (
        OrderTerm(Field("a"), None, "DESC", "NULLS LAST"),
        OrderTerm(Field("b")),
    )


def test_nulls_without_direction():
    """Nulls can be placed without naming a direction."""
    assert parse_order("a.nullsfirst") == (OrderTerm(Field("a"), nulls="NULLS FIRST"),)


def test_a_column_of_an_embed():
    """`rel(column)` orders by a column of an embed."""
    assert parse_order("rel(a).asc") == (OrderTerm(Field("a"), "rel", "ASC"),)


@pytest.mark.parametrize("text", ["", "a.sideways", "a.desc.first", "a.desc.asc", "a desc;", "rel(a,b)", "a,,b", "(a)"])
def test_anything_else_is_refused(text):
    """No text beyond the grammar reaches ORDER BY."""
    with pytest.raises(GrammarError):
        parse_order(text)
