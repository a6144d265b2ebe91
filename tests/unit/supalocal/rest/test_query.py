"""The query string is split as PostgREST splits it."""

import pytest

from supalocal.rest.errors import RestError
from supalocal.rest.query import canonical_query, parse_query
from supalocal.rest.ranges import Range
from supalocal.rest.select import EVERYTHING, Column


def test_no_select_is_everything():
    """Without `select` all columns are selected."""
    assert parse_query("id=eq.1").select == (Column(EVERYTHING),)


def test_a_plus_is_a_blank():
    """`+` stands for a blank in values."""
    assert parse_query("a=eq.x+y").conditions[0][1].operation.value == "x y"


def test_a_parameter_without_a_value_is_skipped():
    """`&id&` says nothing."""
    assert parse_query("id").conditions == ()


def test_limit_and_offset_make_a_range():
    """Limit and offset name the first and last row."""
    assert parse_query("limit=2&offset=3").range == Range(3, 4)


def test_an_embed_has_its_own_range():
    """`rel.limit` is the embed's."""
    assert parse_query("rel.limit=1").ranges == {("rel",): Range(0, 0)}


def test_numbers_that_are_none_are_ignored():
    """A limit that is no number does not limit."""
    assert parse_query("limit=all&offset=some").range.first == 0


@pytest.mark.parametrize("number", [10**18, 10**30])
def test_a_number_is_heeded_however_long(number):
    """What is too much for PostgreSQL is for PostgreSQL to say."""
    assert parse_query(f"offset={number}").range.first == number


def test_columns_are_sorted_and_unique():
    """`columns` names a set."""
    assert parse_query('columns="b",a,b').columns == ("a", "b")


def test_arguments_of_a_call_by_get():
    """In a call by GET parameters without an operator are arguments, the others filters."""
    query = parse_query("a=1&b=eq.2", for_call_by_get=True)
    assert (query.arguments, [path for path, _ in query.conditions]) == ((("a", "1"),), [()])


def test_a_broken_parameter_is_pgrst100():
    """Grammar errors are answered as PGRST100."""
    with pytest.raises(RestError) as caught:
        parse_query("id=1")
    assert (caught.value.status, caught.value.code) == (400, "PGRST100")


def test_the_canonical_query_is_sorted_and_encoded():
    """Content-Location repeats the parameters in order, equal names joined."""
    assert canonical_query("select=a,b&or=(x)&id=eq.1&or=(y)") == "id=eq.1&or=%28x%29,%28y%29&select=a%2Cb"
