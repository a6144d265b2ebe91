"""TranslationService: who translates, and why."""

import asyncio
import logging
import os
from decimal import Decimal

import pytest
from support.apertium import FakeApertium, Held
from support.openai_server import SOUND, Answer, hears, refuses
from support.people import Interpreting, Listening

from babelroom import (
    ConfigurationError,
    InvalidAudio,
    InvalidInput,
    InvalidLanguage,
    InvalidText,
    NothingSaid,
    Settings,
    TranscriptionFailed,
    Translation,
    TranslationFailed,
    TranslationService,
)
from babelroom.audio import Audio


class Shouting:
    """A translator of our own."""

    name = "shouting"

    async def translate(self, request, _):
        return Translation(text=request.text.upper(), source=request.source, target=request.target, provider=self.name)


class Unfinished:
    """A translator that tells a part and is then never done; it knows when it is given up."""

    name = "unfinished"

    def __init__(self, last: Exception | None = None) -> None:
        self.has_ended = asyncio.Event()
        self._last = last

    async def translate(self, _, on_delta):
        on_delta("Hola")
        try:
            if self._last is not None:
                raise self._last
            await asyncio.Event().wait()
        finally:
            self.has_ended.set()


@pytest.fixture
async def by_openai(openai_settings):
    """A service by OpenAI, whose model has a price."""
    service = TranslationService(openai_settings.model_copy(update={"translation_model": "gpt-4o-mini"}))
    yield service
    await service.close()


async def test_a_given_translator_is_used():
    """What the app brings comes first."""
    service = TranslationService(Settings(), Shouting())
    assert (await service.translate("hello", "en", "es")).text == "HELLO"
    assert service.provider == "Translations come from shouting: it was given to the client."


@pytest.mark.usefixtures("without_apertium")
async def test_the_phrasebook_is_the_last_resort():
    """Without a key and without apertium, and it says so."""
    service = TranslationService(Settings())
    assert (await service.translate("Good morning", "en", "es")).text == "Buenos días"
    assert "phrasebook" in service.provider
    assert "apertium is not installed" in service.provider


@pytest.mark.usefixtures("with_apertium")
async def test_apertium_is_used_for_its_pairs():
    """It is on the path and has the pair."""
    service = TranslationService(Settings())
    assert (await service.translate("Good morning", "en", "es")).text == "hola"
    assert await service.provider_for("en", "es") == "From en to es translates apertium (eng-spa)."


@pytest.mark.usefixtures("with_apertium")
async def test_a_pair_that_apertium_lacks_falls_to_the_phrasebook():
    """Visibly: the sentence names both."""
    service = TranslationService(Settings())
    assert (await service.translate("Good morning", "en", "pt")).text == "Bom dia"
    assert "apertium has no way between them" in await service.provider_for("en", "pt")


async def test_closing_ends_apertium(monkeypatch, tmp_path):
    """What the service started, it ends; closing twice does nothing."""
    held = Held(tmp_path)
    fake = FakeApertium(tmp_path)
    fake.stage(f"exec 3> {held.path}\nexec cat")
    monkeypatch.setenv("PATH", str(fake.programs), prepend=os.pathsep)
    service = TranslationService(Settings())
    taken, _ = await asyncio.gather(held.taken(), service.translate("Hello", "en", "es"))
    await service.close()
    await service.close()
    await taken.left()


@pytest.mark.usefixtures("without_apertium")
async def test_who_translates_is_logged_once(caplog):
    """Said aloud, not with every message."""
    service = TranslationService(Settings())
    with caplog.at_level(logging.INFO, logger="babelroom"):
        await service.translate("Hello", "en", "es")
        await service.translate("Hello", "en", "es")
    assert caplog.messages == [service.provider]


@pytest.mark.parametrize(
    ("text", "source", "target"), [("Hello", "en", "EN"), ("123 !?", "en", "es"), ("😀", "en", "es")]
)
async def test_what_needs_no_translation_passes_unchanged(text, source, target):
    """The same language, or nothing to translate: that counts as translated."""
    translation = await TranslationService(Settings(), Shouting()).translate(text, source, target)
    assert (translation.text, translation.provider, translation.is_translated) == (text, "unchanged", True)


@pytest.mark.usefixtures("without_apertium")
async def test_a_region_of_the_same_language_needs_no_phrasebook():
    """British and American English understand each other."""
    assert (await TranslationService(Settings()).translate("A lift", "en-GB", "en-US")).is_translated


@pytest.mark.parametrize(
    ("text", "source", "error"),
    [("", "en", InvalidText), ("x" * 10_001, "en", InvalidText), ("x", "english", InvalidLanguage)],
)
async def test_input_is_checked_first(text, source, error):
    """Nothing is sent to a translator that could not be a message."""
    with pytest.raises(error):
        await TranslationService(Settings(), Shouting()).translate(text, source, "es")


@pytest.mark.usefixtures("without_apertium")
async def test_what_comes_in_one_piece_has_no_first_part():
    """The phrasebook does not stream: only the whole time is told."""
    latency = (await TranslationService(Settings()).translate("Good morning", "en", "es")).latency
    assert (latency.first, latency.total > 0) == (None, True)


async def test_the_first_part_is_there_before_the_whole(openai_server, by_openai):
    """How long it took until the first words, and until the last."""
    half_way, begun = asyncio.Event(), asyncio.Event()
    openai_server.answer = Answer(text="Hola a todos", half_way=half_way)
    call = asyncio.create_task(by_openai.translate("Hello all", "en", "es", on_delta=lambda _: begun.set()))
    await begun.wait()
    half_way.set()
    latency = (await call).latency
    assert 0 < latency.first < latency.total


async def test_a_translation_costs_what_the_price_table_says(by_openai):
    """By the tokens that the server counted."""
    translation = await by_openai.translate("Good morning", "en", "es")
    million = Decimal(1_000_000)
    expected = Decimal("0.15") * translation.usage.input_tokens + Decimal("0.60") * translation.usage.output_tokens
    assert (translation.usage.input_tokens > 0, translation.cost) == (True, expected / million)


async def test_failed_attempts_cost_too(openai_server, by_openai):
    """What was asked twice is paid twice."""
    openai_server.then(Answer(text=""))
    usage = (await by_openai.translate("Good morning", "en", "es")).usage
    assert usage.input_tokens == sum(told["prompt_tokens"] for told in openai_server.usages)
    assert len(openai_server.usages) == 2


async def test_a_model_without_a_price_costs_nobody_knows_what(openai_settings):
    """None, which is not nothing."""
    service = TranslationService(openai_settings)
    translation = await service.translate("Good morning", "en", "es")
    await service.close()
    assert (translation.usage.model, translation.cost) == ("a-model", None)


async def test_the_price_table_can_be_replaced(tmp_path):
    """By the settings; a hundred tokens in and twenty out at a dollar each."""
    table = tmp_path / "prices.tsv"
    table.write_text(
        "# as of 2026-01\nmodel\tunit\tusd\ngpt-4o-mini\tinput_tokens\t1000000\ngpt-4o-mini\toutput_tokens\t1000000\n"
    )
    service = TranslationService(Settings(prices=table), Interpreting())
    assert (service.prices.as_of, (await service.translate("Hi", "en", "es")).cost) == ("2026-01", Decimal(120))


def test_a_price_table_that_cannot_be_read_is_told_at_once(tmp_path):
    """Not with the first translation."""
    with pytest.raises(ConfigurationError, match=r"The price table .*missing\.tsv cannot be read"):
        TranslationService(Settings(prices=tmp_path / "missing.tsv"))


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_stream_is_the_parts_and_then_the_translation(parts):
    """Joined, the parts are its text."""
    service = TranslationService(Settings(), Interpreting(parts=parts))
    *told, translation = [item async for item in service.translate_stream("hello there", "en", "es")]
    assert (len(told), "".join(told), type(translation)) == (parts, "HELLO THERE", Translation)
    assert (translation.text, translation.latency.first is None) == ("HELLO THERE", False)


@pytest.mark.parametrize(("text", "source"), [("hello", "en"), ("hello", "es"), ("123", "en")])
async def test_what_comes_in_one_piece_is_one_part_of_a_stream(text, source):
    """Also what passes unchanged."""
    service = TranslationService(Settings(), Shouting())
    part, translation = [item async for item in service.translate_stream(text, source, "es")]
    assert (part, translation.latency.first) == (translation.text, None)


async def test_the_parts_come_while_the_translator_works():
    """The first one is there before the last is made."""
    translator = Interpreting(parts=2)
    translator.may_end.clear()
    stream = TranslationService(Settings(), translator).translate_stream("hello you", "en", "es")
    assert await anext(stream) == "HELLO"
    translator.may_end.set()
    assert await anext(stream) == " YOU"


@pytest.mark.usefixtures("without_apertium")
async def test_a_stream_that_began_anew_ends_in_what_holds(openai_server, openai_settings):
    """OpenAI broke off after a word, and the phrasebook knew the text: the last item is its translation."""
    openai_server.answer = Answer(text="Muy buenos días", cut_after=1)
    impatient = {"translators": ("openai", "phrasebook"), "translation_deadline": 0.5}
    service = TranslationService(openai_settings.model_copy(update=impatient))
    *told, translation = [item async for item in service.translate_stream("Good morning", "en", "es")]
    await service.close()
    assert (told, translation.text, translation.provider) == (["Muy"], "Buenos días", "phrasebook")


async def test_a_stream_raises_what_translating_does():
    """After the parts that came before it."""
    service = TranslationService(Settings(), Unfinished(TranslationFailed("The line is dead.")))
    stream = service.translate_stream("hello", "en", "es")
    assert await anext(stream) == "Hola"
    with pytest.raises(TranslationFailed, match="The line is dead"):
        await anext(stream)


async def test_the_input_of_a_stream_is_checked_first():
    """Before anything is asked."""
    with pytest.raises(InvalidLanguage):
        await anext(TranslationService(Settings(), Shouting()).translate_stream("hello", "english", "es"))


async def test_closing_a_stream_early_ends_the_work():
    """Before aclose() returns nobody translates any more."""
    translator = Unfinished()
    stream = TranslationService(Settings(), translator).translate_stream("hello", "en", "es")
    assert await anext(stream) == "Hola"
    assert not translator.has_ended.is_set()
    await stream.aclose()
    assert translator.has_ended.is_set()


async def test_a_given_transcriber_hears_the_recording():
    """With its kind; the language and the last turns go along."""
    listening = Listening("Hello there")
    service = TranslationService(Settings(), transcriber=listening)
    transcript = await service.transcribe(SOUND, language="en", context=["Hi"])
    assert (transcript.text, transcript.language, transcript.provider) == ("Hello there", "en", "listening")
    assert listening.asked == [(Audio(SOUND, "mp3"), "en", ("Hi",))]


async def test_a_recording_may_be_bytes_a_path_or_a_file(tmp_path):
    """The transcriber gets the same."""
    path = tmp_path / "hello"
    path.write_bytes(SOUND)
    listening = Listening("Hello")
    service = TranslationService(Settings(), transcriber=listening)
    with path.open("rb") as file:
        for recording in (SOUND, bytearray(SOUND), memoryview(SOUND), path, str(path), file):
            await service.transcribe(recording)
    assert listening.asked == [(Audio(SOUND, "mp3"), None, ())] * 6


async def test_a_transcript_has_its_cost_and_latency():
    """Two seconds of whisper-1 at $0.006 a minute; there is no first part."""
    transcript = await TranslationService(Settings(), transcriber=Listening("Hello")).transcribe(SOUND)
    assert transcript.cost == Decimal("0.0002")
    assert (transcript.latency.first, transcript.latency.total > 0) == (None, True)


async def test_openai_transcribes_with_a_key(openai_server, by_openai):
    """Whatever else translates."""
    openai_server.answer = hears("Hola, amigo", language="spanish")
    transcript = await by_openai.transcribe(SOUND)
    assert (transcript.text, transcript.language, transcript.provider) == ("Hola, amigo", "es", "openai an-ear")


@pytest.mark.parametrize("error", [NothingSaid(), TranscriptionFailed("The ear is deaf.")])
async def test_a_transcriber_raises_its_own_errors_as_they_are(error):
    """Those of the tree."""
    with pytest.raises(type(error)) as raised:
        await TranslationService(Settings(), transcriber=Listening(error)).transcribe(SOUND)
    assert raised.value is error


async def test_any_other_error_of_a_transcriber_is_wrapped():
    """With its name, and itself as the cause."""
    cause = OSError("no ear")
    service = TranslationService(Settings(), transcriber=Listening(cause))
    with pytest.raises(TranscriptionFailed, match=r"^listening could not transcribe the recording: no ear$") as raised:
        await service.transcribe(SOUND)
    assert raised.value.__cause__ is cause


@pytest.mark.parametrize("answer", [refuses(401), refuses(400)])
async def test_what_openai_cannot_transcribe_is_told_as_that(openai_server, by_openai, answer):
    """There is no second transcriber."""
    openai_server.answer = answer
    with pytest.raises(TranscriptionFailed, match=r"^OpenAI refused"):
        await by_openai.transcribe(SOUND)


async def test_nobody_to_transcribe_is_one_sentence():
    """What to do about it."""
    with pytest.raises(TranscriptionFailed) as raised:
        await TranslationService(Settings()).transcribe(SOUND)
    assert str(raised.value) == "Nobody is there to do it: set OPENAI_API_KEY, or give the client a transcriber."


@pytest.mark.parametrize(
    ("recording", "options", "error"),
    [
        (b"text", {}, InvalidAudio),
        (b"", {}, InvalidAudio),
        ("nowhere.mp3", {}, InvalidAudio),
        (SOUND, {"language": "english"}, InvalidLanguage),
        (SOUND, {"context": "Hi"}, InvalidInput),
    ],
    ids=["no sound", "empty", "missing", "language", "context"],
)
async def test_a_recording_is_checked_first(recording, options, error):
    """Nothing is sent to a transcriber that it could not hear."""
    listening = Listening("Hello")
    with pytest.raises(error):
        await TranslationService(Settings(), transcriber=listening).transcribe(recording, **options)
    assert listening.asked == []
