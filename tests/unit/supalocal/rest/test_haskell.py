"""Literals of Haskell."""

import pytest

from supalocal.rest.haskell import shown, shown_letter


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("it's", '"it\'s"'),
        ('a "b" \\1', r'"a \"b\" \\1"'),
        ("\t\x00\x1b\x7f", r'"\t\NUL\ESC\DEL"'),
        ("ñandú1", r'"\241and\250\&1"'),
        ("\x0eH\x0eh", r'"\SO\&H\SOh"'),
    ],
)
def test_a_string(text, literal):
    """What is no printable ASCII has a name or a number, which the next letter must not lengthen."""
    assert shown(text) == literal


@pytest.mark.parametrize(("letter", "literal"), [('"', "'\"'"), ("'", r"'\''"), ("é", r"'\233'")])
def test_a_letter(letter, literal):
    """Of the two quotes only its own is escaped."""
    assert shown_letter(letter) == literal
