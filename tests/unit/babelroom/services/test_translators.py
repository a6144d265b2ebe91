"""Who translates: the first of the settings' order that can, and why those before it did not."""

import logging

import pytest
from support.openai_server import Answer, garbage, refuses

from babelroom import Settings, Translation, TranslationFailed, TranslationService, TranslatorUnavailable

ORDER = ("openai", "apertium", "phrasebook")
NO_KEY = "openai cannot be used: OPENAI_API_KEY is not set."
NO_APERTIUM = "apertium cannot be used: apertium is not installed."

pytestmark = pytest.mark.usefixtures("without_apertium")


@pytest.fixture
async def serve(openai_settings):
    """Make a service with a key and half a second of patience, and with these settings."""
    services = []

    def serve(**settings):
        services.append(
            TranslationService(openai_settings.model_copy(update={"translation_deadline": 0.5, **settings}))
        )
        return services[-1]

    yield serve
    for service in services:
        await service.close()


class Failing:
    """A translator of our own that raises what it was made with, or returns it."""

    name = "failing"

    def __init__(self, what):
        self._what = what

    async def translate(self, *_):
        if isinstance(self._what, Exception):
            raise self._what
        return self._what


async def test_what_cannot_be_used_is_passed_over():
    """Without a key and without apertium it is the phrasebook's turn; a sentence each says why."""
    translation = await TranslationService(Settings(translators=ORDER)).translate("Good morning", "en", "es")
    assert translation == Translation(
        text="Buenos días",
        source="en",
        target="es",
        provider="phrasebook",
        latency=translation.latency,
        switches=(NO_KEY, NO_APERTIUM),
    )


async def test_the_first_that_can_is_asked_alone(openai_server, serve):
    """Nobody was switched from."""
    translation = await serve(translators=ORDER).translate("Good morning", "en", "es")
    assert (translation.text, translation.switches) == ("Good morning (Spanish)", ())
    assert len(openai_server.requests) == 1


async def test_the_order_is_the_settings_own(openai_server, serve):
    """With the phrasebook first OpenAI is not asked."""
    translation = await serve(translators=("phrasebook", "openai")).translate("Good morning", "en", "es")
    assert (translation.text, translation.switches, openai_server.requests) == ("Buenos días", (), [])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refuses(500), "OpenAI is in passing trouble (500): try again later."),
        (refuses(429, retry_after="60"), "OpenAI's rate limit is reached"),
        (refuses(401), "OpenAI refused the key"),
        (garbage(), "OpenAI's answer cannot be read"),
        (Answer(text=""), "openai a-model gave no translation, asked twice"),
    ],
    ids=["500", "429", "401", "garbage", "no translation"],
)
async def test_who_fails_is_followed_by_the_next(openai_server, serve, answer, why):
    """The phrasebook knows the text; the reason of the switch is what went wrong."""
    openai_server.answer = answer
    translation = await serve(translators=ORDER).translate("Good morning", "en", "es")
    failed, missing = translation.switches
    assert (translation.text, translation.provider, missing) == ("Buenos días", "phrasebook", NO_APERTIUM)
    assert failed.startswith(f"openai a-model could not: {why}")


async def test_a_switch_after_a_failure_is_logged(openai_server, serve, caplog):
    """As a warning: somebody pays for a translator that does not translate."""
    openai_server.answer = refuses(401)
    with caplog.at_level(logging.WARNING, logger="babelroom"):
        translation = await serve(translators=ORDER).translate("Good morning", "en", "es")
    assert caplog.messages == [translation.switches[0]]


async def test_a_text_that_the_next_one_does_not_know_stays_failed(openai_server, serve):
    """Handing it on as "[en] ..." is no answer to a failure: the failure is raised."""
    openai_server.answer = refuses(500)
    with pytest.raises(TranslationFailed, match=r"^OpenAI is in passing trouble \(500\)"):
        await serve(translators=ORDER).translate("The train leaves at seven", "en", "es")


@pytest.mark.usefixtures("with_apertium")
async def test_who_comes_after_one_that_does_not_know_the_text_is_asked(openai_server, serve):
    """After a failure, a phrasebook in the middle of the order does not end it."""
    openai_server.answer = refuses(401)
    order = ("openai", "phrasebook", "apertium")
    translation = await serve(translators=order).translate("The train leaves at seven", "en", "es")
    assert (translation.text, translation.provider) == ("hola", "apertium eng-spa")
    assert translation.switches[1] == "phrasebook does not know the text."


async def test_a_text_that_nobody_knows_is_passed_through_marked():
    """Where nobody failed."""
    service = TranslationService(Settings(translators=ORDER))
    translation = await service.translate("The train leaves at seven", "en", "es")
    assert (translation.text, translation.is_translated) == ("[en] The train leaves at seven", False)
    assert translation.switches == (NO_KEY, NO_APERTIUM)


async def test_if_none_can_be_used_the_error_names_each():
    """A sentence each."""
    service = TranslationService(Settings(translators=("openai", "apertium")))
    with pytest.raises(TranslatorUnavailable) as raised:
        await service.translate("Good morning", "en", "es")
    assert str(raised.value) == f"Nobody can translate from en to es. {NO_KEY} {NO_APERTIUM}"
    assert await service.provider_for("en", "es") == f"{NO_KEY} {NO_APERTIUM}"


async def test_with_a_key_openai_translates_alone(openai_server, serve):
    """A key that is refused is raised at once: nobody else was named, though the phrasebook knows the text."""
    openai_server.answer = refuses(401)
    with pytest.raises(TranslatorUnavailable, match=r"^OpenAI refused the key: check OPENAI_API_KEY"):
        await serve().translate("Good morning", "en", "es")
    assert len(openai_server.requests) == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "Translations come from openai a-model: OPENAI_API_KEY is set."),
        ({"translators": ORDER}, "Translations come from openai, else apertium, else phrasebook: the settings say so."),
    ],
)
async def test_it_says_who_translates_and_why(serve, settings, sentence):
    """For every pair of languages the same."""
    service = serve(**settings)
    assert (service.provider, await service.provider_for("en", "es")) == (sentence, sentence)


@pytest.mark.usefixtures("with_apertium")
async def test_of_a_pair_that_apertium_lacks_it_says_no_more_than_it_knows(serve):
    """The key is set, and the settings leave OpenAI out all the same."""
    sentence = await serve(translators=("apertium", "phrasebook")).provider_for("en", "pt")
    assert sentence == "Translations come from apertium, else phrasebook: the settings say so."


async def test_a_given_translator_has_no_successor(openai_settings, openai_server):
    """What it raises of the tree is raised as it is; the settings' order is not for it."""
    failure = TranslationFailed("Not today.")
    service = TranslationService(openai_settings.model_copy(update={"translators": ORDER}), Failing(failure))
    with pytest.raises(TranslationFailed) as raised:
        await service.translate("Good morning", "en", "es")
    assert (raised.value, openai_server.requests) == (failure, [])


async def test_the_errors_of_a_given_translator_are_wrapped():
    """With its name, and itself as the cause."""
    cause = KeyError("hola")
    with pytest.raises(TranslationFailed, match=r"^failing could not translate the text: 'hola'$") as raised:
        await TranslationService(Settings(), Failing(cause)).translate("Good morning", "en", "es")
    assert raised.value.__cause__ is cause


async def test_a_given_translator_returns_a_translation():
    """A bare text is refused with its type."""
    with pytest.raises(TranslationFailed, match=r"^failing returned str, not a Translation\.$"):
        await TranslationService(Settings(), Failing("Hola")).translate("Good morning", "en", "es")
