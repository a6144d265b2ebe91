"""A text as sound: awaited for the whole of it, or taken as it comes."""

import asyncio
from decimal import Decimal

import pytest
from support.openai_server import SOUND, Answer, refuses

from babelroom import InvalidLanguage, InvalidText, Settings, SpeechFailed, TranslationService
from babelroom.models import Usage

WAV = b"RIFF\x24\x00\x00\x00WAVE"


class Mouth:
    """A speaker of our own: gives these parts, and then raises this, if anything."""

    name = "mouth"

    def __init__(self, *parts, error=None):
        self._parts = parts
        self._error = error
        self.asked = []
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def speak(self, text, language, voice):
        self.asked.append((text, language, voice))
        for part in self._parts:
            yield part
            await self.may_end.wait()
        if self._error is not None:
            raise self._error


@pytest.fixture
async def by_openai(openai_settings):
    """A service by OpenAI, whose mouth has a price."""
    service = TranslationService(openai_settings.model_copy(update={"speech_model": "tts-1"}))
    yield service
    await service.close()


async def test_awaited_it_is_the_whole_speech():
    """With what is known of it; a speaker of one's own has no model and no price."""
    speech = await TranslationService(Settings(), speaker=Mouth(WAV, b"and more")).speak("Hola", "es")
    assert (speech.audio, speech.format) == (WAV + b"and more", "wav")
    assert (speech.language, speech.voice, speech.provider) == ("es", "nova", "mouth")
    assert (speech.model, speech.usage, speech.cost) == (None, None, None)
    assert 0 <= speech.latency.first <= speech.latency.total


async def test_iterated_over_it_is_the_parts_and_then_the_speech():
    """`speech` is there once every part has come."""
    speaking = TranslationService(Settings(), speaker=Mouth(SOUND, SOUND)).speak("Hola", "es")
    parts = []
    async for part in speaking:
        assert speaking.speech is None
        parts.append(part)
    assert parts == [SOUND, SOUND]
    assert (speaking.speech.audio, speaking.speech.format) == (SOUND * 2, "mp3")


async def test_the_parts_come_while_the_speaker_speaks():
    """The first one is there before the last is made."""
    mouth = Mouth(SOUND, WAV)
    mouth.may_end.clear()
    parts = aiter(TranslationService(Settings(), speaker=mouth).speak("Hola", "es"))
    assert await anext(parts) == SOUND
    mouth.may_end.set()
    assert [part async for part in parts] == [WAV]


async def test_sound_that_says_no_kind_counts_as_mp3():
    """What OpenAI is asked for."""
    assert (await TranslationService(Settings(), speaker=Mouth(b"noise")).speak("Hola", "es")).format == "mp3"


async def test_openai_speaks_with_a_key(openai_server, by_openai):
    """All bytes, who spoke, and what it cost: $15 for a million characters."""
    speech = await by_openai.speak("Hola, amigo", "es")
    assert (speech.audio, speech.format, speech.provider, speech.model) == (SOUND * 12, "mp3", "openai tts-1", "tts-1")
    assert (speech.usage, speech.cost) == (Usage(model="tts-1", characters=11), Decimal("0.000165"))
    assert (openai_server.requests[0].text, openai_server.requests[0].json["voice"]) == ("Hola, amigo", "nova")


async def test_the_sound_of_openai_comes_as_it_is_made(openai_server, by_openai):
    """The first part is there while the server still holds back the others."""
    half_way = asyncio.Event()
    openai_server.answer = Answer(half_way=half_way)
    speaking = by_openai.speak("Hola", "es")
    parts = aiter(speaking)
    first = await anext(parts)
    half_way.set()
    assert first + b"".join([part async for part in parts]) == SOUND * 12 == speaking.speech.audio
    assert 0 < speaking.speech.latency.first < speaking.speech.latency.total


@pytest.mark.parametrize(
    ("language", "voices", "voice", "chosen"),
    [
        ("es", {}, None, "nova"),
        ("es-MX", {}, None, "nova"),
        ("tlh", {}, None, "alloy"),
        ("es", {"es": "echo"}, None, "echo"),
        ("es-MX", {"es": "echo"}, None, "echo"),
        ("es-MX", {"es": "echo", "es-MX": "onyx"}, None, "onyx"),
        ("pt", {"es": "echo"}, None, "shimmer"),
        ("es", {"es": "echo"}, "fable", "fable"),
    ],
)
async def test_a_language_has_its_voice(language, voices, voice, chosen):
    """The one that is asked for, else that of the settings, the region's before the language's, else the table's."""
    mouth = Mouth(SOUND)
    speech = await TranslationService(Settings(voices=voices), speaker=mouth).speak("Hola", language, voice=voice)
    assert (speech.voice, mouth.asked) == (chosen, [("Hola", language, chosen)])


@pytest.mark.parametrize("setting", ["ES", "es-mx"])
async def test_the_case_of_a_tag_does_not_matter(setting):
    """As everywhere in BCP 47."""
    mouth = Mouth(SOUND)
    speech = await TranslationService(Settings(voices={setting: "echo"}), speaker=mouth).speak("Hola", "es-MX")
    assert speech.voice == "echo"


async def test_a_speaker_raises_its_own_errors_as_they_are():
    """After the parts that came before it; there is no speech then."""
    error = SpeechFailed("The mouth is dry.")
    speaking = TranslationService(Settings(), speaker=Mouth(SOUND, error=error)).speak("Hola", "es")
    with pytest.raises(SpeechFailed) as raised:
        await speaking
    assert (raised.value, speaking.speech) == (error, None)


async def test_any_other_error_of_a_speaker_is_wrapped():
    """With its name, and itself as the cause."""
    cause = OSError("no mouth")
    with pytest.raises(SpeechFailed, match=r"^mouth could not speak the text: no mouth$") as raised:
        await TranslationService(Settings(), speaker=Mouth(error=cause)).speak("Hola", "es")
    assert raised.value.__cause__ is cause


async def test_what_openai_cannot_speak_is_told_as_that(openai_server, by_openai):
    """A refused key."""
    openai_server.answer = refuses(401)
    with pytest.raises(SpeechFailed, match=r"^OpenAI refused the key"):
        await by_openai.speak("Hola", "es")


async def test_nobody_to_speak_is_one_sentence():
    """What to do about it, when the sound is wanted."""
    speaking = TranslationService(Settings()).speak("Hola", "es")
    with pytest.raises(SpeechFailed) as raised:
        await speaking
    assert str(raised.value) == "Nobody is there to do it: set OPENAI_API_KEY, or give the client a speaker."


@pytest.mark.parametrize(
    ("text", "language", "error"),
    [("", "es", InvalidText), ("x" * 40_001, "es", InvalidText), ("Hola", "spanish", InvalidLanguage)],
    ids=["empty", "long", "language"],
)
def test_the_text_is_checked_at_once(text, language, error):
    """Before it is awaited."""
    with pytest.raises(error):
        TranslationService(Settings(), speaker=Mouth()).speak(text, language)
