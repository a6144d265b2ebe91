"""OpenAI's translator, against a real server on loopback: what is asked, what is told, and what counts as a reply."""

import asyncio

import pytest
from support.openai_server import Answer, refusal, refuses
from support.translators import translate

from babelroom import TranslationFailed, TranslationRequest
from babelroom.models import Usage
from babelroom.providers import prompt
from babelroom.providers.openai import OpenAI
from babelroom.providers.openai_translator import OpenAITranslator

REQUEST = TranslationRequest("Hello there, my friend", "en", "es", context=("Hi",), keep=("Ana",))


@pytest.fixture
async def translator(openai_settings):
    connection = OpenAI(openai_settings.model_copy(update={"translation_deadline": 5.0}))
    yield OpenAITranslator(connection)
    await connection.close()


async def test_the_reply_is_the_translation(openai_server, translator):
    """What the model says comes back without the white space around it, with who said it and what it took."""
    openai_server.answer = Answer(text=" Hola a todos.\n")
    translation = await translate(translator, "Hello, everybody.", "en", "es")
    tokens = openai_server.usages[0]
    usage = Usage(model="a-model", input_tokens=tokens["prompt_tokens"], output_tokens=tokens["completion_tokens"])
    assert translation.text == "Hola a todos."
    assert (translation.source, translation.target, translation.is_translated) == ("en", "es", True)
    assert (translation.provider, translation.model, translation.usage) == ("openai a-model", "a-model", usage)


async def test_the_request_is_the_prompt_as_a_stream(openai_server, translator):
    """The settings decide the model, the temperature and the key; the messages are those of the prompt."""
    await translator.translate(REQUEST, lambda _: None)
    asked = openai_server.requests[0]
    assert asked.json == {
        "model": "a-model",
        "temperature": 0.3,
        "messages": prompt.messages(REQUEST),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert asked.headers["Authorization"] == "Bearer a-key"


async def test_the_text_is_told_as_it_grows(openai_server, translator):
    """The first words are there while the server still holds back the others."""
    half_way, told, first = asyncio.Event(), [], asyncio.Event()
    openai_server.answer = Answer(text="Hola, buen amigo mío", half_way=half_way)

    def tell(delta):
        told.append(delta)
        first.set()

    call = asyncio.create_task(translator.translate(REQUEST, tell))
    await asyncio.wait_for(first.wait(), 5)
    assert told == ["Hola,"]
    half_way.set()
    assert (await call).text == "Hola, buen amigo mío" == "".join(told)


async def test_a_second_attempt_goes_on_where_the_first_was_cut(openai_server, translator):
    """What was told is not told again."""
    told = []
    openai_server.then(Answer(text="Hola, buen amigo mío", cut_after=2), Answer(text="Hola, buen amigo"))
    translation = await translator.translate(REQUEST, told.append)
    assert (translation.text, told) == ("Hola, buen amigo", ["Hola, buen", " amigo"])


async def test_a_server_that_does_not_stream_is_understood(openai_server, translator):
    """One plain JSON is told and returned as if it had grown."""
    told = []
    openai_server.answer = Answer(text="Hola, amigo", plain=True)
    translation = await translator.translate(REQUEST, told.append)
    assert (translation.text, told, translation.usage is None) == ("Hola, amigo", ["Hola, amigo"], False)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(finish_reason=None, plain=True),
        Answer(finish_reason=None, says_done=True),
        Answer(says_done=False),
    ],
    ids=["plain", "no reason", "not done"],
)
async def test_servers_may_leave_out_how_it_ended(openai_server, translator, answer):
    """A plain JSON, a [DONE] or a finish reason: each is an end by itself."""
    openai_server.answer = answer
    assert (await translate(translator, "Hello", "en", "es")).text == "Hello (Spanish)"
    assert len(openai_server.requests) == 1


async def test_usage_that_is_not_told_is_not_made_up(openai_server, translator):
    """Compatible servers ignore stream_options: nothing is counted, rather than nothing used."""
    openai_server.answer = Answer(tells_usage=False)
    assert (await translate(translator, "Hello", "en", "es")).usage is None


@pytest.mark.parametrize(
    ("poor", "fault"),
    [
        (Answer(text=""), "empty"),
        (Answer(text=None), "empty"),
        (refusal("I won't."), "The model refused: I won't."),
        (Answer(text="Hola", finish_reason="length"), "not whole: it ended by length"),
        (Answer(text="Hola", finish_reason="content_filter"), "not whole: it ended by content_filter"),
        (Answer(text="Es una larga historia. " * 500), "long"),
    ],
    ids=["empty", "nothing", "refusal", "length", "filter", "long"],
)
async def test_what_is_no_translation_is_asked_once_more_and_more_firmly(openai_server, translator, poor, fault):
    """A good second reply is the translation; a poor one ends in an error that says what was wrong."""
    openai_server.then(poor)
    assert (await translator.translate(REQUEST, lambda _: None)).text == "Hello there, my friend (Spanish)"
    assert openai_server.requests[1].json["messages"] == prompt.messages(REQUEST, firm=True)

    openai_server.then(poor, poor)
    with pytest.raises(TranslationFailed, match=fault) as failure:
        await translator.translate(REQUEST, lambda _: None)
    assert type(failure.value) is TranslationFailed
    assert "the original is kept" in str(failure.value)
    assert len(openai_server.requests) == 4


async def test_tokens_of_all_replies_are_added_up(openai_server, translator):
    """The poor one was paid for too; one that was refused cost nothing."""
    openai_server.then(refuses(500), Answer(text=""))
    usage = (await translate(translator, "Hello", "en", "es")).usage
    assert len(openai_server.usages) == 2
    assert usage.input_tokens == sum(told["prompt_tokens"] for told in openai_server.usages)
    assert usage.output_tokens == sum(told["completion_tokens"] for told in openai_server.usages)


async def test_a_reply_that_runs_on_is_not_read_to_its_end(openai_server, translator):
    """The model talks for hours; the second prompt comes as soon as it is clear, and nothing absurd is told."""
    told = []
    openai_server.then(Answer(text="Es una larga historia. " * 10_000, pause=0.001))
    translation = await translator.translate(REQUEST, told.append)
    assert translation.text == "Hello there, my friend (Spanish)"
    assert len("".join(told)) < 1_000
