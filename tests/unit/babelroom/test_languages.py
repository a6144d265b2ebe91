"""The table of languages: open to any tag, and known by Whisper's names."""

import pytest

from babelroom.languages import DEFAULT_VOICE, Language, base_language, find, from_whisper, table

# What openai/whisper's tokenizer calls them, by its own codes, where these are not the table's.
WHISPER_CODES = {"jv": "jw"}
VOICES = {"alloy", "echo", "fable", "onyx", "nova", "shimmer"}


def test_english_spanish_and_portuguese_come_first():
    """A person chooses from the top."""
    assert list(table())[:3] == ["en", "es", "pt"]


def test_the_table_has_the_languages_that_whisper_knows():
    """A hundred, each by a name of its own, with a voice that OpenAI has."""
    languages = list(table().values())
    assert len(languages) == len({language.whisper for language in languages}) == 100
    assert {language.voice for language in languages} <= VOICES


def test_a_language_is_found_by_its_tag():
    """With its names and its voice."""
    assert find("pt") == Language("pt", "Portuguese", "Português", "portuguese", "shimmer")


def test_a_region_stays_visible():
    """It is its language's, and says so."""
    assert find("pt-BR") == Language("pt-BR", "Portuguese (pt-BR)", "Português (pt-BR)", "portuguese", "shimmer")


def test_an_unknown_language_goes_by_its_tag():
    """Any tag may be spoken; the default voice speaks it."""
    assert find("tlh") == Language("tlh", "tlh", "tlh", None, DEFAULT_VOICE)


@pytest.mark.parametrize(("tag", "title"), [("en", "English (en)"), ("es-MX", "Spanish (es-MX)"), ("tlh", "tlh")])
def test_a_title_is_the_name_and_the_tag(tag, title):
    """Once each."""
    assert find(tag).title == title


@pytest.mark.parametrize(("tag", "name"), [("EN", "English"), ("nb-NO", "Norwegian (nb-NO)"), ("iw", "Hebrew (iw)")])
def test_case_and_other_names_for_a_language_do_not_matter(tag, name):
    """BCP 47 is read in any case, and has older and narrower tags."""
    assert find(tag).name == name


@pytest.mark.parametrize("tag", table())
def test_whispers_name_and_code_lead_back(tag):
    """In any case, as servers write them differently."""
    names = [table()[tag].whisper, table()[tag].whisper.title(), WHISPER_CODES.get(tag, tag), tag.upper()]
    assert {from_whisper(name) for name in names} == {tag}


@pytest.mark.parametrize(
    ("name", "tag"), [("castilian", "es"), ("Mandarin", "zh"), (" english ", "en"), ("pt-BR", "pt"), ("klingon", None)]
)
def test_aliases_and_strangers(name, tag):
    """Whisper's own aliases count, and what nobody knows is None."""
    assert from_whisper(name) == tag


@pytest.mark.parametrize(("tag", "base"), [("pt-BR", "pt"), ("EN", "en"), ("zh-Hant-TW", "zh")])
def test_the_base_language_is_what_is_left_of_the_first_hyphen(tag, base):
    """In lower case."""
    assert base_language(tag) == base
