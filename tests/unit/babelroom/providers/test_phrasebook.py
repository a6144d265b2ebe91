"""The phrasebook: whole sentences, and a visible mark on the rest."""

import pytest
from support.translators import translate

from babelroom.demo.conversation import bundled
from babelroom.providers.phrasebook import Phrasebook

PHRASEBOOK = Phrasebook([{"en": "Good morning!", "es": "¡Buenos días!"}, {"en": "See you.", "es": "Hasta luego."}])


@pytest.mark.parametrize(
    "text", ["Good morning!", "good morning", "  GOOD   MORNING... ", "Good\nmorning", "“Good morning”"]
)
async def test_case_punctuation_and_white_space_do_not_matter(text):
    """The words decide."""
    assert (await translate(PHRASEBOOK, text, "en", "es")).text == "¡Buenos días!"


async def test_known_sentences_may_follow_each_other():
    """Each sentence is looked up, and what is between them stays."""
    assert (await translate(PHRASEBOOK, "See you. Good morning!", "en", "es")).text == "Hasta luego. ¡Buenos días!"


async def test_a_region_does_not_matter():
    """British English is in the book as English is."""
    assert (await translate(PHRASEBOOK, "See you", "en-GB", "es-MX")).text == "Hasta luego."


@pytest.mark.parametrize("text", ["Good evening", "Good morning! And good luck.", "Ça va?"])
async def test_what_it_does_not_know_is_marked(text):
    """Unknown text passes through whole, marked with its language."""
    translation = await translate(PHRASEBOOK, text, "en", "es")
    assert (translation.text, translation.is_translated) == (f"[en] {text}", False)


async def test_an_unknown_language_is_marked():
    """A pair of languages that the book lacks is no error."""
    assert not (await translate(PHRASEBOOK, "Good morning!", "en", "fr")).is_translated


@pytest.mark.parametrize("languages", [("en", "es"), ("en", "pt"), ("es", "pt"), ("pt-BR", "en")])
async def test_the_bundled_conversation_is_covered(languages):
    """The demo's own lines are known both ways, in every pair of the book's languages."""
    phrasebook = Phrasebook()
    for line in bundled(languages).lines:
        other = languages[1 - languages.index(line.language)]
        assert (await translate(phrasebook, line.text, line.language, other)).is_translated, line
