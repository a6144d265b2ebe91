"""OpenAI's speaker, against a real server on loopback: sound as it comes, long texts in parts."""

import asyncio

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.openai_server import SOUND, Answer, garbage, refuses

from babelroom import SpeechFailed
from babelroom.providers.openai import OpenAI
from babelroom.providers.openai_speaker import OpenAISpeaker, parts


@pytest.fixture
async def speaker(openai_settings):
    connection = OpenAI(openai_settings.model_copy(update={"translation_deadline": 3.0}))
    yield OpenAISpeaker(connection)
    await connection.close()


async def spoken(speaker, text="Hola"):
    """All of the sound."""
    return b"".join([chunk async for chunk in speaker.speak(text, "es", "nova")])


async def test_a_text_becomes_sound(openai_server, speaker):
    """The bytes are the server's; the request names model, voice and format."""
    assert await spoken(speaker) == SOUND * 12
    asked = openai_server.requests[0]
    assert asked.json == {"model": "a-mouth", "voice": "nova", "input": "Hola", "response_format": "mp3"}
    assert (speaker.name, speaker.model) == ("openai a-mouth", "a-mouth")


async def test_the_sound_comes_as_it_is_made(openai_server, speaker):
    """The first part is there while the server still holds back the others."""
    half_way = asyncio.Event()
    openai_server.answer = Answer(half_way=half_way)
    sound = speaker.speak("Hola", "es", "nova")
    first = await asyncio.wait_for(anext(sound), 5)
    half_way.set()
    rest = b"".join([chunk async for chunk in sound])
    assert (0 < len(first) < len(SOUND * 12), first + rest) == (True, SOUND * 12)


async def test_a_long_text_is_spoken_in_parts(openai_server, speaker):
    """One request after the other, cut where a sentence ends."""
    text = "Esta es una oración bastante larga. " * 250
    assert await spoken(speaker, text) == SOUND * 12 * 3
    asked = [request.text for request in openai_server.requests]
    assert " ".join(asked) == text.strip()
    assert all(len(part) <= 4_096 and part.endswith(".") for part in asked)


async def test_what_the_caller_does_between_does_not_count(openai_settings, openai_server):
    """Playing the sound takes as long as it takes: the deadline is for OpenAI."""
    connection = OpenAI(openai_settings.model_copy(update={"translation_deadline": 0.5}))
    openai_server.answer = Answer(pause=0.01)
    chunks = []
    async for chunk in OpenAISpeaker(connection).speak("Hola", "es", "nova"):
        chunks.append(chunk)
        await asyncio.sleep(0.3)
    assert b"".join(chunks) == SOUND * 12
    await connection.close()


@pytest.mark.parametrize(
    "trouble",
    [refuses(503), Answer(cut_after=0), Answer(sound=b""), garbage(), garbage(b"{}", "application/json")],
    ids=["busy", "cut", "nothing", "page", "json"],
)
async def test_passing_trouble_before_the_sound_is_met_again(openai_server, speaker, trouble):
    """The caller hears only the second attempt."""
    openai_server.then(trouble)
    assert await spoken(speaker) == SOUND * 12
    assert len(openai_server.requests) == 2


async def test_sound_that_breaks_off_is_an_error(openai_server, speaker):
    """What was heard cannot be taken back: nothing is sent again."""
    openai_server.answer = Answer(cut_after=1, sound=SOUND * 60)
    with pytest.raises(SpeechFailed, match="broke off"):
        await spoken(speaker)
    assert len(openai_server.requests) == 1


async def test_sound_that_stops_is_an_error(openai_settings, openai_server):
    """Within the deadline."""
    connection = OpenAI(openai_settings.model_copy(update={"translation_deadline": 0.5}))
    openai_server.answer = Answer(half_way=asyncio.Event())
    with pytest.raises(SpeechFailed, match="in time"):
        await spoken(OpenAISpeaker(connection))
    await connection.close()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [(refuses(401), "OPENAI_API_KEY"), (refuses(404), "BABELROOM_SPEECH_MODEL"), (refuses(400), "This is error 400")],
    ids=["key", "unknown", "refused"],
)
async def test_a_refusal_says_what_to_fix(openai_server, speaker, answer, sentence):
    """The sentences of a translation, about the model that speaks."""
    openai_server.answer = answer
    with pytest.raises(SpeechFailed, match=sentence) as failure:
        await spoken(speaker)
    assert isinstance(failure.value.__cause__, openai.APIStatusError)


async def test_who_stops_listening_ends_the_request(openai_server, speaker):
    """A closed iterator leaves nothing running, and the speaker is ready for another text."""
    openai_server.then(Answer(half_way=asyncio.Event()))
    sound = speaker.speak("Hola", "es", "nova")
    await anext(sound)
    await sound.aclose()
    assert await spoken(speaker) == SOUND * 12


@given(st.text("ab. \n!?\u3002", max_size=80), st.integers(5, 30))
def test_parts_lose_nothing_but_blanks(text, limit):
    """Joined they are the text; none is longer than allowed, and none is empty, except for an empty text."""
    found = parts(text, limit)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(len(part) <= limit for part in found)
    assert all(found) or found == [""]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. Two. Three.", ["One. Two.", "Three."]),
        ("one two three", ["one two", "three"]),
        ("onetwothreefour", ["onetwothre", "efour"]),
        (
            "\u4e00\u3002\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341",
            ["\u4e00\u3002", "\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341"],
        ),
    ],
    ids=["sentences", "words", "letters", "chinese"],
)
def test_parts_end_where_a_sentence_or_a_word_does(text, found):
    """The best place within ten characters."""
    assert parts(text, 10) == found
