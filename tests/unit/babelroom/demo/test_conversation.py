"""Reading a conversation: two languages, clear sentences where there is something wrong."""

import io
import sys

import pytest

from babelroom.demo.conversation import (
    BadConversation,
    Conversation,
    Line,
    bundled,
    decode,
    parse,
    parse_languages,
    read,
)


def test_a_line_is_language_tab_text():
    """Whoever speaks first makes the session."""
    assert parse("es\tHola\nen\tHello") == Conversation(("es", "en"), (Line(1, "es", "Hola"), Line(2, "en", "Hello")))


def test_blank_lines_and_comments_are_skipped():
    """They still count as lines of the input."""
    assert [line.number for line in parse("# a comment\n\nen\tHi\n  \n  # another\nes\tHola\n").lines] == [3, 6]


def test_a_text_keeps_its_tabs_and_separators():
    """Only the first tab divides, only line feeds end a line."""
    assert parse("en\ta\tb\u2028c\x85d\r\nes\tx").lines[0].text == "a\tb\u2028c\x85d"


def test_a_comment_sign_inside_a_text_is_text():
    """Only a line that begins with it is skipped."""
    assert parse("en\t# one\nes\tx").lines[0].text == "# one"


def test_tags_in_another_case_are_the_same_language():
    """The first spelling stands."""
    assert [line.language for line in parse("en\ta\nES\tb\nEN\tc\nes\td").lines] == ["en", "ES", "en", "ES"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("en\tHi\nno tab here", "Line 2 has no tab"),
        ("en\tHi\n\nenglish\tHi", "Line 3: A language is"),
        ("\tHi", "Line 1: A language is"),
        ("en\t   ", "Line 1: A text has"),
        ("en\t" + "x" * 10_001, r"Line 1: A text has .* Got 10,001 characters"),
        ("", "holds no line"),
        ("# only a comment\n\n", "holds no line"),
        ("en\ta\nes\tb\nfr\tc", "Line 3 is in fr, but this is a conversation between en and es"),
        ("en\ta\nen\tb", "Every line is in en: .* --langs en,es"),
    ],
)
def test_what_is_wrong_is_one_clear_sentence(text, sentence):
    """It names the line."""
    with pytest.raises(BadConversation, match=sentence) as refusal:
        parse(text)
    assert "\n" not in str(refusal.value)


def test_a_language_that_nobody_spoke_can_be_given():
    """One person may do all the talking."""
    assert parse("en\ta", ("en", "pt")).languages == ("en", "pt")


def test_a_line_outside_the_given_languages_is_refused():
    """--langs names both."""
    with pytest.raises(BadConversation, match="Line 1 is in es, but this is a conversation between en and pt"):
        parse("es\ta", ("en", "pt"))


@pytest.mark.parametrize("text", ["en", "en,", "en,es,pt", "en,EN", "en es", ""])
def test_two_different_languages_are_named(text):
    """Anything else is refused."""
    with pytest.raises(BadConversation):
        parse_languages(text)


def test_languages_may_have_a_blank_between_them():
    """As people write lists."""
    assert parse_languages("en, pt-BR") == ("en", "pt-BR")


def test_a_byte_order_mark_is_no_part_of_the_text():
    """Editors on Windows write one."""
    assert decode("\ufeffen\tñ".encode()) == "en\tñ"


def test_what_is_not_utf_8_is_refused_with_its_line():
    """Latin-1 is not guessed at."""
    with pytest.raises(BadConversation, match="Line 2 is not UTF-8"):
        decode(b"en\tHi\nes\tma\xf1ana")


def test_the_bundled_conversation_is_long_enough():
    """At least 12 turns between an English and a Spanish speaker."""
    conversation = bundled(None)
    assert conversation.languages == ("en", "es")
    assert len(conversation.lines) >= 12


def test_the_bundled_conversation_is_there_in_other_languages():
    """The first language is the first speaker's."""
    conversation = bundled(("pt", "en"))
    assert conversation.lines[0] == Line(2, "pt", "Oi! Acho que o seu gato está na minha varanda.")
    assert conversation.lines[1].language == "en"


def test_the_bundled_conversation_is_not_there_in_every_language():
    """What to do then is said."""
    with pytest.raises(BadConversation, match="not in fr: bring your own with --input FILE"):
        bundled(("en", "fr"))


def test_a_file_is_read(tmp_path):
    """--input FILE."""
    (tmp_path / "talk.tsv").write_text("en\tHi\nes\tHola\n", "utf-8")
    assert len(read(str(tmp_path / "talk.tsv"), None).lines) == 2


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    """With the system's reason."""
    with pytest.raises(BadConversation, match="cannot be read: No such file"):
        read(str(tmp_path / "talk.tsv"), None)


def test_a_dash_reads_standard_input(monkeypatch):
    """--input -."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"en\tHi\nes\tHola\n")))
    assert len(read("-", None).lines) == 2
