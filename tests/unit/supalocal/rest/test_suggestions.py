"""Suggestions for misspelt names."""

from supalocal.rest.suggestions import NAME_SCORE, nearest


def test_a_near_name():
    """A letter too few finds the name."""
    assert nearest("gret", ["greet", "ping"], NAME_SCORE) == "greet"


def test_nothing_near():
    """A name that is like none gets none."""
    assert nearest("nosuchfunction", ["no_product", "nothing"], NAME_SCORE) is None


def test_no_names_at_all():
    """Without names there is nothing to suggest."""
    assert nearest("x", [], 0.0) is None
