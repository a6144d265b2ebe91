"""The stream format: what a pipeline that changes nothing gives back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babelroom.providers.apertium_stream import from_stream, holds_term, to_stream

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
tricky = st.text("ab .\\[]{}^$/@#*<>&;~\n\r\t\u2028?!", min_size=1)


@given(st.one_of(texts, tricky))
def test_what_goes_in_comes_out(text):
    """Escaping and unescaping lose nothing, whatever the text holds."""
    assert from_stream(to_stream(text))[0] == text


def test_markup_is_carried_through():
    """The pipeline sees a tag as blank."""
    assert to_stream("a <b>c</b>") == "a [<b>]c[</b>].[][\n]"


def test_a_line_ends_a_sentence():
    """The full stop that is added goes again on the way back."""
    assert to_stream("a\nb") == "a.[][\n]b.[][\n]"


def test_marks_are_taken_off():
    """An unknown word loses its mark; the rest is known."""
    assert from_stream("hola *zorb.[][\n]") == ("hola zorb", True)


def test_nothing_is_known_when_all_is_marked():
    """Only marked words, and letters that are not Latin."""
    assert from_stream("*zorb *fnord, 你好.[][\n]") == ("zorb fnord, 你好", False)


def test_blanks_around_a_dropped_word_become_one():
    """The pipeline leaves both."""
    assert from_stream(" Por cierto,  acaba.[][\n]")[0] == "Por cierto, acaba"


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ("Ask Ana", "Ask [Ana]"),
        ("Ana, Anabel, ana", "[Ana], Anabel, ana"),
        ("a bill, Bill", "a [factura], Bill"),
        ("a bill of sale", "a [escritura \\[de venta\\]]"),
        ("C++ or C", "[C++] or C"),
        ("see https://a.example/Ana", "see [https://a.example/Ana]"),
    ],
)
def test_terms_are_carried_through(text, stream):
    """Whole words as they are written, the longest first, replaced by what they are to be."""
    terms = {"Ana": "Ana", "bill": "factura", "bill of sale": "escritura [de venta]", "C++": "C++"}
    assert to_stream(text, terms) == stream + ".[][\n]"


def test_a_text_holds_a_term_or_not():
    """A part of a word is none, and no text holds an empty one."""
    assert [holds_term(text, {"Ana": "", "": ""}) for text in ("by Ana!", "Anabel", "")] == [True, False, False]
