"""OpenAI's connection, against a real server on loopback: retries, deadlines, and a sentence for each cause."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import openai
import pytest
from pydantic import SecretStr
from support.openai_server import Answer, garbage, refuses
from support.translators import translate

from babelroom import ClientClosed, TranslationFailed, TranslationService, deadline
from babelroom.errors import TranslatorUnavailable
from babelroom.providers.openai import OpenAI
from babelroom.providers.openai_translator import OpenAITranslator

HUNG = 60.0


@pytest.fixture
def settings(openai_settings):
    """Three seconds for everything."""
    return openai_settings.model_copy(update={"translation_deadline": 3.0})


@pytest.fixture
async def translator(settings):
    connection = OpenAI(settings)
    yield OpenAITranslator(connection)
    await connection.close()


async def failure_of(settings, **changes):
    """What a translation with these settings fails with."""
    connection = OpenAI(settings.model_copy(update=changes))
    try:
        with pytest.raises(TranslationFailed) as failure:
            await translate(OpenAITranslator(connection), "Hello", "en", "es")
    finally:
        await connection.close()
    return failure.value


@pytest.mark.parametrize(
    "trouble",
    [
        *(refuses(status) for status in (408, 409, 429, 500, 502, 503)),
        Answer(cut_after=0),
        Answer(cut_after=1),
        Answer(finish_reason=None, says_done=False),
        Answer(raw=b'data: {"error": {"message": "overloaded"}}\n\n', kind="text/event-stream"),
        garbage(),
        garbage(b"", "text/event-stream"),
        garbage(b"{}x", "application/json"),
    ],
    ids=lambda answer: str(answer.status if answer.status != 200 else answer.raw or answer.cut_after),
)
async def test_passing_trouble_is_met_again(openai_server, translator, trouble):
    """The second attempt succeeds, and the caller sees only that."""
    openai_server.then(trouble)
    assert (await translate(translator, "Hello", "en", "es")).text == "Hello (Spanish)"
    assert len(openai_server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (refuses(401), TranslatorUnavailable, "OPENAI_API_KEY"),
        (refuses(402), TranslatorUnavailable, "quota is used up"),
        (refuses(403), TranslatorUnavailable, "may not use the model a-model"),
        (refuses(404), TranslatorUnavailable, "BABELROOM_TRANSLATION_MODEL"),
        (refuses(429, code="insufficient_quota", retry_after="1"), TranslatorUnavailable, "quota is used up"),
        (refuses(429, retry_after="600"), TranslatorUnavailable, "rate limit is reached.*600 s"),
        (refuses(400), TranslationFailed, "This is error 400"),
    ],
    ids=["key", "money", "forbidden", "unknown", "quota", "limit", "refused"],
)
async def test_a_refusal_says_what_to_fix(openai_server, translator, answer, kind, sentence):
    """Each is one sentence, at once; openai's own error is its cause, and the type tells whether the text matters."""
    openai_server.answer = answer
    with pytest.raises(TranslationFailed, match=sentence) as failure:
        await translate(translator, "Hello", "en", "es")
    assert type(failure.value) is kind
    assert isinstance(failure.value.__cause__, openai.APIStatusError)
    assert len(openai_server.requests) == 1


async def test_a_quota_that_ends_in_the_middle_is_no_passing_trouble(openai_server, translator):
    """The stream's own error event is read as its status would be."""
    event = b'data: {"error": {"message": "no more", "code": "insufficient_quota"}}\n\n'
    openai_server.answer = Answer(raw=event, kind="text/event-stream")
    with pytest.raises(TranslatorUnavailable, match="quota"):
        await translate(translator, "Hello", "en", "es")
    assert len(openai_server.requests) == 1


@pytest.mark.parametrize(
    "headers",
    [{"retry_after": "0.6"}, {"retry_after_ms": "600"}, {"retry_after": "60", "retry_after_ms": "600"}],
    ids=str,
)
@pytest.mark.parametrize("status", [429, 503])
async def test_the_pause_that_the_server_asks_for_is_kept(openai_server, translator, status, headers):
    """In seconds, or in OpenAI's milliseconds, which are more exact."""
    openai_server.then(refuses(status, **headers))
    start = time.monotonic()
    await translate(translator, "Hello", "en", "es")
    assert time.monotonic() - start >= 0.6


@pytest.mark.parametrize("asked", ["Sat, 01 Jan 2000 00:00:00 GMT", "soon", "nan", "-1"])
async def test_a_pause_that_says_nothing_is_our_own(openai_server, translator, asked):
    """One that is over, or cannot be read."""
    openai_server.then(refuses(429, retry_after=asked))
    assert (await translate(translator, "Hello", "en", "es")).text == "Hello (Spanish)"


async def test_a_date_to_wait_for_is_kept(openai_server, translator):
    """HTTP dates have whole seconds: one that is two ahead is at least one second away."""
    openai_server.then(refuses(429, retry_after=format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)))
    start = time.monotonic()
    await translate(translator, "Hello", "en", "es")
    assert time.monotonic() - start > 0.9


@pytest.mark.parametrize("asked", ["60", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_pause_beyond_the_deadline_fails_at_once(openai_server, translator, asked):
    """Nobody waits for what cannot come, and the sentence says what was asked."""
    openai_server.answer = refuses(429, retry_after=asked)
    start = time.monotonic()
    with pytest.raises(
        TranslationFailed, match=r"asks to be left alone for (60|[\d,]{15}) s, more than the deadline leaves"
    ) as failure:
        await translate(translator, "Hello", "en", "es")
    assert time.monotonic() - start < 1
    assert type(failure.value) is TranslatorUnavailable


async def test_lasting_trouble_ends_with_its_own_sentence(openai_server, settings):
    """When the deadline leaves no other attempt, the last one's sentence is told."""
    openai_server.answer = refuses(503)
    failure = await failure_of(settings, translation_deadline=0.5)
    assert "passing trouble (503)" in str(failure)
    assert isinstance(failure.__cause__, openai.InternalServerError)


async def test_a_hung_attempt_leaves_time_for_another(openai_server, translator):
    """Without a byte for 40 % of the deadline, the request is sent again."""
    openai_server.then(Answer(delay=HUNG))
    assert (await translate(translator, "Hello", "en", "es")).text == "Hello (Spanish)"


async def test_a_stream_that_stops_is_a_hung_attempt_too(openai_server, translator):
    """Some of the text came, and then nothing."""
    openai_server.then(Answer(half_way=asyncio.Event()))
    assert (await translate(translator, "Hello", "en", "es")).text == "Hello (Spanish)"


async def test_a_server_that_is_too_slow_says_so(openai_server, settings):
    """No attempt had an answer within the deadline."""
    openai_server.answer = Answer(delay=HUNG)
    failure = await failure_of(settings, translation_deadline=0.4)
    assert type(failure) is TranslationFailed
    assert "did not answer in time" in str(failure)


async def test_the_deadline_holds_for_a_stream_that_trickles(openai_server, settings):
    """Each byte comes in time, and the whole does not."""
    openai_server.answer = Answer(text="Hola " * 5, pause=0.15)
    start = time.monotonic()
    assert "did not answer in time" in str(await failure_of(settings, translation_deadline=0.4))
    assert time.monotonic() - start < 1


async def test_a_deadline_around_the_call_holds(openai_server, translator):
    """A `with deadline(...)` block gives fewer seconds than the setting."""
    openai_server.answer = Answer(delay=HUNG)
    start = time.monotonic()
    with deadline(0.3), pytest.raises(TranslationFailed, match="in time"):
        await translate(translator, "Hello", "en", "es")
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/v1", "http://nobody.invalid/v1", "ftp://127.0.0.1/v1", "http://["]
)
async def test_a_server_that_is_not_there_says_so(settings, address):
    """A matter of the network or OPENAI_BASE_URL; after two more attempts, as another translator may do it."""
    start = time.monotonic()
    failure = await failure_of(settings, openai_base_url=address, translation_deadline=30.0)
    assert type(failure) is TranslatorUnavailable
    assert "could not be reached" in str(failure)
    assert isinstance(failure.__cause__, openai.APIConnectionError)
    assert time.monotonic() - start < 8


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"openai_api_key": None}, "needs a key: set OPENAI_API_KEY"),
        ({"openai_api_key": SecretStr("")}, "needs a key: set OPENAI_API_KEY"),
        ({"openai_api_key": SecretStr("two keys")}, "OPENAI_API_KEY is malformed"),
        ({"openai_api_key": SecretStr("clé")}, "OPENAI_API_KEY is malformed"),
        ({"openai_api_key": SecretStr("a\nb")}, "OPENAI_API_KEY is malformed"),
        ({"openai_base_url": "http://a.example:port/"}, "OPENAI_BASE_URL is no address"),
    ],
    ids=["none", "empty", "two", "letters", "lines", "address"],
)
async def test_a_setting_that_cannot_be_used_is_named(openai_server, settings, changes, sentence):
    """Nothing is sent, and no other text would change it."""
    failure = await failure_of(settings, **changes)
    assert type(failure) is TranslatorUnavailable
    assert sentence in str(failure)
    assert openai_server.requests == []


async def test_connections_are_used_again(openai_server, translator):
    """A second text needs no new connection."""
    ports = []
    for _ in range(3):
        openai_server.then(Answer(text=lambda asked: ports.append(asked.peer) or "Hola"))
        await translate(translator, "Hello", "en", "es")
    assert len(set(ports)) == 1


async def test_as_many_connections_as_the_settings_allow(openai_server, translator):
    """A hundred texts are asked at once: nobody waits for a connection."""
    gate = asyncio.Event()
    openai_server.answer = Answer(gate=gate)
    calls = [asyncio.create_task(translate(translator, "Hello", "en", "es")) for _ in range(100)]
    await openai_server.until_asked(100)
    gate.set()
    assert {translation.text for translation in await asyncio.gather(*calls)} == {"Hello (Spanish)"}


async def test_a_cancelled_call_ends_at_once(openai_server, translator):
    """The cancellation comes through, and the connection is usable after it."""
    openai_server.then(Answer(delay=HUNG))
    call = asyncio.create_task(translate(translator, "Hello", "en", "es"))
    await openai_server.until_asked(1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await translate(translator, "Hello", "en", "es")).text == "Hello (Spanish)"


async def test_it_can_be_closed_twice(settings):
    """Closing what is closed does nothing; using it then is a mistake in the program."""
    connection = OpenAI(settings)
    translator = OpenAITranslator(connection)
    await translate(translator, "Hello", "en", "es")
    await connection.close()
    await connection.close()
    with pytest.raises(ClientClosed):
        await translate(translator, "Hello", "en", "es")


async def test_the_service_uses_openai_when_there_is_a_key(settings):
    """OPENAI_API_KEY decides, and the service says so."""
    service = TranslationService(settings)
    assert (await service.translate("Hello", "en", "es")).provider == "openai a-model"
    assert service.provider == "Translations come from openai a-model: OPENAI_API_KEY is set."
    await service.close()
    await service.close()
