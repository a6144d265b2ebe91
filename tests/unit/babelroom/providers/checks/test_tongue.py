"""Telling languages apart: only where enough speaks for one."""

import pytest
from support.lines import everyday

from babelroom.providers.checks.tongue import foreign, is_in_another_script, speaks_for


@pytest.mark.parametrize(
    ("text", "language", "other"),
    [
        ("We are going to the house of my mother", "es", "en"),
        ("Vamos a la casa de mi madre que está en el centro", "en", "es"),
        ("Ontem nós fomos ao mercado e ele não estava aberto", "es", "pt"),
        ("Wir gehen nicht in das Haus von meiner Mutter", "en", "de"),
        ("The weather is nice and I like it here with you", "nl", "en"),
    ],
)
def test_another_language_is_told(text, language, other):
    """By its small words."""
    assert foreign(text, language) == other


@pytest.mark.parametrize(
    ("text", "language"),
    [("OK", "es"), ("no no no", "en"), ("Madrid, Barcelona, Sevilla", "en"), ("ha ha ha", "es"), ("Ana come", "pt")],
)
def test_too_little_is_no_evidence(text, language):
    """Names, laughter and short words are of every language."""
    assert foreign(text, language) is None


def test_what_people_say_is_in_its_language():
    """Not one everyday line is taken for another language's."""
    assert [line for line in everyday() if foreign(line.text, line.source)] == []


@pytest.mark.parametrize(
    ("text", "language", "is_other"),
    [
        ("Good morning", "ru", True),
        ("Доброе утро", "ru", False),
        ("Доброе утро", "es", True),
        ("iPhone от Apple, это хорошо", "ru", False),
        ("おはようございます", "ja", False),
        ("早上好你好吗朋友", "en", True),
        ("Dobro jutro", "sr", False),
        ("OK", "ar", False),
        ("Good morning", "ru-Latn", False),
    ],
)
def test_the_script_is_the_languages(text, language, is_other):
    """Where the language has one alone and there are enough letters."""
    assert is_in_another_script(text, language) is is_other


@pytest.mark.parametrize(("text", "speaks"), [("Where is the train", True), ("Dónde está el tren", False)])
def test_a_text_speaks_for_its_language(text, speaks):
    """More of its small words are of that one."""
    assert speaks_for(text, "en", "es") is speaks
    assert speaks_for(text, "nl", "es") is None
