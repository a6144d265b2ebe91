"""Filters and logic trees are read as PostgREST reads them."""

import pytest

from supalocal.rest.combinators import GrammarError
from supalocal.rest.fields import Field
from supalocal.rest.filters import (
    Compare,
    Filter,
    Group,
    Is,
    IsDistinctFrom,
    OneOf,
    Search,
    parse_filter,
    parse_filter_or_argument,
    parse_logic,
)


def operation(text: str):
    return parse_filter("a", text)[1].operation


def details(key: str, text: str) -> str:
    parse = parse_logic if key in {"or", "and"} else parse_filter
    with pytest.raises(GrammarError) as caught:
        parse(key, text)
    return caught.value.details


def test_a_value_goes_to_the_end():
    """A value may hold anything, operators too."""
    assert operation("eq.in.(1,2)") == Compare("eq", "in.(1,2)")


def test_an_empty_value_is_a_value():
    """`eq.` compares with the empty text."""
    assert operation("eq.") == Compare("eq", "")


def test_negation():
    """`not.` negates the operator behind it."""
    assert parse_filter("a", "not.eq.1") == ((), Filter(Field("a"), Compare("eq", "1"), negated=True))


def test_a_dotted_key_leads_into_embeds():
    """`rel.sub.column` is a condition on the column in an embed of an embed."""
    assert parse_filter("rel.sub.id", "eq.1")[0] == ("rel", "sub")


def test_a_list_keeps_quoted_commas():
    """Quotes in a list protect commas and quotes."""
    assert operation(r'in.(1,"a,b","q\"x")') == OneOf(("1", "a,b", 'q"x'))


def test_an_empty_list_holds_one_empty_text():
    """`in.()` is what SQL later makes into no value."""
    assert operation("in.()") == OneOf(("",))


@pytest.mark.parametrize("word", ["null", "NULL", "Not_Null", "TRUE", "unknown"])
def test_is_takes_words_in_any_case(word):
    """The words of `is.` are not case-sensitive."""
    assert operation(f"is.{word}") == Is(word.lower())


def test_quantifiers():
    """`(any)` and `(all)` compare with several values."""
    assert operation("like(any).{a*,b*}") == Compare("like", "{a*,b*}", "any")


def test_isdistinct():
    """`isdistinct.` takes a value."""
    assert operation("isdistinct.1") == IsDistinctFrom("1")


def test_search_with_a_language():
    """Full text search may name its language."""
    assert operation("wfts(english).a or b") == Search("wfts", "a or b", "english")


def test_a_tree_of_conditions():
    """`or=(...)` holds filters and further trees."""
    tree = parse_logic("or", "(a.eq.1,not.and(b.gt.2,c.is.null))")[1]
    inner = Group((Filter(Field("b"), Compare("gt", "2")), Filter(Field("c"), Is("null"))), any_of=False, negated=True)
    assert tree == Group((Filter(Field("a"), Compare("eq", "1")), inner), any_of=True)


def test_not_before_a_tree():
    """`not.or=(...)` negates the tree."""
    assert parse_logic("not.or", "(a.eq.1)")[1] == Group((Filter(Field("a"), Compare("eq", "1")),), True, True)


def test_a_tree_in_an_embed():
    """`rel.or=(...)` belongs to the embed."""
    assert parse_logic("rel.or", "(a.eq.1)")[0] == ("rel",)


def test_an_array_in_a_tree_stays_whole():
    """Braces protect commas inside a tree."""
    assert parse_logic("or", "(a.cs.{1,2})")[1].members[0].operation == Compare("cs", "{1,2}")


def test_a_quoted_value_in_a_tree():
    """Quotes protect commas and parentheses inside a tree."""
    assert parse_logic("or", '(a.eq."x,(y)")')[1].members[0].operation == Compare("eq", "x,(y)")


def test_a_call_by_get_keeps_what_is_no_filter():
    """In a GET of a function, a parameter without an operator is an argument."""
    assert parse_filter_or_argument("a", "5") == ("a", "5")


@pytest.mark.parametrize("text", ["1", "foo.1", "eq", "=.1", "eq(some).1", "neq(any).1", "in.1", "is.maybe", ""])
def test_no_operator_is_refused(text):
    """What does not begin with an operator is no filter."""
    details("id", text)


@pytest.mark.parametrize("text", ["()", "(a.eq.1", "(a.foo.1)", "(a.eq.1,)", "(a)", "(xor(a.eq.1))"])
def test_broken_trees_are_refused(text):
    """A tree that does not close, or holds something else than conditions, is refused."""
    details("or", text)


def test_refusals_name_what_was_expected():
    """The details are Parsec's."""
    assert details("id", "foo.1") == 'unexpected "f" expecting "not" or operator (eq, gt, ...)'
