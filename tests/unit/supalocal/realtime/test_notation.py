"""Elixir's notation, as it appears in error texts."""

import pytest

from supalocal.realtime.notation import inspect


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (None, "nil"),
        ([], "[]"),
        (["a"], '["a"]'),
        ([("id", "eq", "1", False)], '[{"id", "eq", "1", false}]'),
        ({"b": 5, "a": None}, '%{"a" => nil, "b" => 5}'),
        ('say "hi"\n', '"say \\"hi\\"\\n"'),
        ("#{x}", '"\\#{x}"'),
    ],
)
def test_terms_have_elixirs_notation(term, text):
    """Lists, tuples, maps and strings look as in Elixir."""
    assert inspect(term) == text


def test_a_long_list_is_broken_over_lines():
    """Past 80 columns each tuple stands on a line of its own, filled."""
    assert inspect([("column", "eq", "x" * 60, False)]) == ('[\n  {"column", "eq",\n   "' + "x" * 60 + '", false}\n]')
