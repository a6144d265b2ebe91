"""apertium: which modes lead where, and the real command where it is installed."""

import asyncio
import string

import pytest
from support.apertium import COMMAND, NEEDS
from support.translators import translate

from babelroom import TranslationFailed
from babelroom.providers.apertium import Apertium, route

MODES = ["eng-spa", "spa-eng", "spa-eng_US", "es-pt", "es-pt_BR", "pt-es"]
needs_apertium = pytest.mark.skipif(COMMAND is None, reason=NEEDS)


@pytest.mark.parametrize(
    ("source", "target", "modes"),
    [
        ("en", "es", ["eng-spa"]),
        ("EN-gb", "es-MX", ["eng-spa"]),
        ("es", "pt", ["es-pt"]),
        ("es", "pt-BR", ["es-pt_BR"]),
        ("es", "en-us", ["spa-eng_US"]),
        ("en", "pt", ["eng-spa", "es-pt"]),
        ("pt-BR", "en", ["pt-es", "spa-eng"]),
        ("en", "fr", []),
        ("ja", "es", []),
    ],
)
def test_a_route_is_direct_or_by_way_of_spanish(source, target, modes):
    """A regional mode comes first; without any way there is no route."""
    assert route(MODES, source, target) == modes


@pytest.fixture
async def apertium():
    running = Apertium(COMMAND)
    yield running
    await running.close()


@needs_apertium
async def test_it_translates(apertium):
    """A plain sentence comes out in Spanish, with the mode that did it."""
    translation = await translate(apertium, "The house is white.", "en", "es")
    assert (translation.text, translation.provider) == ("La casa es blanca.", "apertium eng-spa")


@needs_apertium
async def test_it_goes_by_way_of_spanish(apertium):
    """English to Portuguese takes two steps."""
    translation = await translate(apertium, "Good morning", "en", "pt")
    assert (translation.text, translation.provider) == ("Bons dias", "apertium eng-spa + es-pt")


@needs_apertium
async def test_an_unknown_word_stays_in_its_place(apertium):
    """Apertium's mark on it is gone."""
    assert (await translate(apertium, "The red zorbify", "en", "es")).text.endswith("zorbify")


@needs_apertium
@pytest.mark.parametrize("text", ["Zorbify flurble", "你好,世界", "Привет"])
async def test_a_text_without_a_known_word_is_marked(apertium, text):
    """Nothing was translated, and it shows."""
    translation = await translate(apertium, text, "en", "es")
    assert (translation.text, translation.is_translated) == (f"[en] {text}", False)


@needs_apertium
@pytest.mark.parametrize(
    "kept",
    ["<script>", "</b>", "&amp;", "{name}", "https://a.example/b?c=d#e", "me@a.example", "\\n", "😀", "\x1b[31m"],
)
async def test_special_characters_survive(apertium, kept):
    """Markup, addresses and Apertium's own special characters come out as they went in."""
    assert kept in (await translate(apertium, f"the house {kept} is white", "en", "es")).text


@needs_apertium
async def test_all_punctuation_survives(apertium):
    """Each sign, alone between words."""
    text = " ".join(f"house {sign}" for sign in string.punctuation)
    translated = (await translate(apertium, text, "en", "es")).text
    assert [sign for sign in string.punctuation if sign not in translated] == []


@needs_apertium
async def test_lines_stay_lines(apertium):
    """No word moves to another line."""
    text = "good morning\r\nthe red\ncar\n\n\tthe house\n"
    translated = (await translate(apertium, text, "en", "es")).text
    assert [character for character in translated if character in "\r\n\t"] == list("\r\n\n\n\n\t\n")
    assert translated.split()[-2:] == ["La", "casa"]


@needs_apertium
async def test_a_long_text_is_translated_whole(apertium):
    """10,000 characters go through."""
    sentences = 10_000 // len("The house is white. ")
    translated = (await translate(apertium, "The house is white. " * sentences, "en", "es")).text
    assert translated.count("blanca") == sentences


@needs_apertium
async def test_it_takes_texts_side_by_side(apertium):
    """Several at once come back each to its own caller."""
    texts = [f"The number {number}" for number in range(4)]
    translations = await asyncio.gather(*(translate(apertium, text, "en", "es") for text in texts))
    assert [translation.text for translation in translations] == [f"El número {number}" for number in range(4)]


@needs_apertium
async def test_a_name_is_kept(apertium):
    """Only as it is written: the colour is translated."""
    translation = await translate(apertium, "Mr White has a white house", "en", "es", keep=["White"])
    assert translation.text == "El señor White tiene una casa blanca"


@needs_apertium
@pytest.mark.parametrize("target", ["es", "pt"])
async def test_a_term_of_the_glossary_is_replaced(apertium, target):
    """Also by way of Spanish."""
    translation = await translate(apertium, "The bill is white", "en", target, glossary={"bill": "faktura"})
    assert "faktura" in translation.text
    assert "bill" not in translation.text


@needs_apertium
async def test_a_text_of_terms_alone_is_translated(apertium):
    """Nothing in it is unknown."""
    translation = await translate(apertium, "Ana: bill", "en", "es", keep=["Ana"], glossary={"bill": "cuenta"})
    assert (translation.text, translation.is_translated) == ("Ana: cuenta", True)


async def test_a_language_it_lacks_is_an_error(tmp_path):
    """Asked directly, it does not pretend."""
    command = tmp_path / "apertium"
    command.write_text("#!/bin/sh\necho '  eng-spa'\n")
    command.chmod(0o755)
    with pytest.raises(TranslationFailed, match="no translation from en to fr"):
        await translate(Apertium(str(command)), "Hello", "en", "fr")


async def test_a_command_that_hangs_is_ended(tmp_path):
    """The time limit holds for the whole pipeline."""
    command = tmp_path / "apertium"
    command.write_text("#!/bin/sh\nsleep 60 | cat\n")
    command.chmod(0o755)
    with pytest.raises(TranslationFailed, match=r"longer than 0\.1 seconds"):
        await Apertium(str(command), timeout=0.1).route("en", "es")


async def test_a_command_that_fails_says_why(tmp_path):
    """Its own words are in the error."""
    command = tmp_path / "apertium"
    command.write_text("#!/bin/sh\necho 'no data' >&2\nexit 3\n")
    command.chmod(0o755)
    with pytest.raises(TranslationFailed, match="no data"):
        await Apertium(str(command)).route("en", "es")
