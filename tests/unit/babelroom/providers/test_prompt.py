"""The prompt: our words in one place, what people say in another."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lines import injections

from babelroom.languages import table
from babelroom.providers.prompt import MAX_CONTEXT, messages
from babelroom.results import Tone, TranslationRequest

TEXTS = st.text(min_size=1)
CONTEXT = ("Where is Ana?", "En casa.")


def request(text="Hello", source="en", target="es", **options):
    return TranslationRequest(text, source, target, **options)


def instructions(*arguments, firm=False, **options):
    return messages(request(*arguments, **options), firm=firm)[0]["content"]


def reference(**options):
    """What helps to understand the text, as data."""
    introduction, _, data = messages(request(**options))[1]["content"].partition("\n")
    assert "not to be translated" in introduction
    return json.loads(data)


def test_a_bare_text_takes_two_messages():
    """Our instructions, and the text alone."""
    system, user = messages(request("Hello"))
    assert system["role"] == "system"
    assert user == {"role": "user", "content": "Hello"}


@given(TEXTS, st.lists(TEXTS).map(tuple), st.dictionaries(TEXTS, TEXTS), st.lists(TEXTS), st.booleans())
def test_the_text_is_last_alone_and_as_it_is(text, context, glossary, keep, firm):
    """Whatever it holds, and whatever goes along."""
    chat = messages(request(text, context=context, glossary=glossary, keep=keep), firm=firm)
    assert chat[-1] == {"role": "user", "content": text}
    assert [message["role"] for message in chat[:-1]] in (["system"], ["system", "user"])


@given(TEXTS, st.lists(TEXTS).map(tuple), st.dictionaries(TEXTS, TEXTS), st.lists(TEXTS))
def test_our_instructions_hold_no_word_of_anybody(text, context, glossary, keep):
    """They are the same whatever is said."""
    assert messages(request(text, context=context, glossary=glossary, keep=keep))[0] == messages(request())[0]


@pytest.mark.parametrize("injection", injections(), ids=lambda injection: f"{injection.line.text!r:.40}")
def test_an_injection_leaves_in_the_place_of_data(injection):
    """Among our instructions it would be one."""
    line = injection.line
    system, user = messages(request(line.text, line.source, line.target))
    assert user["content"] == line.text
    assert line.text not in system["content"]


@pytest.mark.parametrize(
    ("source", "target", "names"),
    [
        ("en", "es", "from English (en) to Spanish (es)"),
        ("pt-BR", "en-GB", "from Portuguese (pt-BR) to English (en-GB)"),
        ("tlh", "fr", "from tlh to French (fr)"),
    ],
)
def test_the_languages_are_named(source, target, names):
    """By name and tag."""
    assert names in instructions("Hello", source, target)


@pytest.mark.parametrize("tone", Tone)
@pytest.mark.parametrize("firm", [False, True])
def test_no_other_language_is_named(tone, firm):
    """A name is a hint, and the wrong one misleads."""
    told = instructions("Olá", "pt", "es", tone=tone, firm=firm)
    assert {language.name for language in table().values() if language.name in told} == {"Portuguese", "Spanish"}


@pytest.mark.parametrize(
    ("tone", "target", "words"),
    [
        (Tone.CASUAL, "es", "tú"),
        (Tone.CASUAL, "pt", "você"),
        (Tone.CASUAL, "en", "British spelling"),
        (Tone.FORMAL, "es", "usted"),
        (Tone.FORMAL, "pt-BR", "o senhor, a senhora"),
        (Tone.FORMAL, "fr", "formal"),
        (Tone.FUN, "es", "at most one fitting emoji"),
    ],
)
def test_the_tone_says_how_to_speak(tone, target, words):
    """In the target's own words where it has some for it."""
    assert words in instructions("Hello", "en" if target != "en" else "es", target, tone=tone)


def test_only_the_casual_tone_of_britain_is_british():
    """Americans have a spelling of their own."""
    assert "British" not in instructions("Hola", "es", "en-US")


@pytest.mark.parametrize(
    "words", ["never answer or obey", "missing punctuation", "homophones", "u, pls", "line breaks", "translation alone"]
)
def test_what_the_interpreter_is_told(words):
    """To translate all that is said, mended, and nothing else."""
    assert words in instructions()


def test_a_firm_one_says_what_went_wrong():
    """It is longer by that alone."""
    assert instructions(firm=True).startswith(instructions())
    assert "was not a translation" in instructions(firm=True)


def test_what_helps_is_data_of_its_own():
    """Between our instructions and the text."""
    data = reference(context=CONTEXT, glossary={"till": "caja"}, keep=["Ana"])
    assert data == {"earlier_turns": ["Where is Ana?", "En casa."], "glossary": {"till": "caja"}, "keep": ["Ana"]}


def test_what_does_not_help_is_left_out():
    """Each word costs time."""
    assert reference(context=CONTEXT) == {"earlier_turns": list(CONTEXT)}


def test_context_is_bounded_by_whole_turns_from_the_end():
    """The last ones say most; half a turn would mislead."""
    turns = tuple(f"{number} " + "x" * 498 for number in range(9))
    assert reference(context=turns)["earlier_turns"] == list(turns[-(MAX_CONTEXT // 500) :])


def test_a_last_turn_that_is_too_long_is_left_out():
    """And with it all before it."""
    assert len(messages(request(context=("Hi", "x" * (MAX_CONTEXT + 1))))) == 2


def test_the_instructions_are_short():
    """They go with every message: about 150 tokens."""
    assert len(instructions(firm=True)) < 900
