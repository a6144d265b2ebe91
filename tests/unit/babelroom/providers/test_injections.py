"""What people say to make a translator do something else: it leaves as data, alone, and obeying it is found out."""

import asyncio
import itertools

import pytest
from support.lines import injections
from support.openai_server import Answer

from babelroom import TranslationFailed, TranslationRequest
from babelroom.providers import prompt
from babelroom.providers.checks.wording import words
from babelroom.providers.openai import OpenAI
from babelroom.providers.openai_translator import OpenAITranslator

INJECTIONS = injections()
MOST_REPLIES = max(len(injection.obeying) for injection in INJECTIONS)
AT_A_TIME = 20
RUN = 4


@pytest.fixture
async def translator(openai_settings):
    connection = OpenAI(openai_settings)
    yield OpenAITranslator(connection)
    await connection.close()


@pytest.fixture
def say(translator):
    """Translates these lines, some at a time: for each what came of it, or the error."""

    async def say(lines):
        results = []
        for start in range(0, len(lines), AT_A_TIME):
            requests = [asked(line) for line in lines[start : start + AT_A_TIME]]
            calls = [translator.translate(request, lambda _: None) for request in requests]
            results += await asyncio.gather(*calls, return_exceptions=True)
        return results

    return say


def asked(line, text=None):
    return TranslationRequest(line.text if text is None else text, line.source, line.target, context=("Olá", "Hello"))


def by_text(requests):
    """The bodies of the requests, by what was to be translated."""
    bodies = {}
    for request in requests:
        bodies.setdefault(request.text, []).append(request.json["messages"])
    return bodies


def runs(text):
    """All that is said in a row of its words."""
    found = words(text)
    return {tuple(found[start : start + RUN]) for start in range(len(found) - RUN + 1)}


def test_every_text_is_there_once():
    """The tests below tell the requests apart by their texts."""
    texts = [injection.line.text for injection in INJECTIONS]
    assert len(texts) == len(set(texts))


async def test_an_injection_leaves_as_data(openai_server, say):
    """It is the content of the last message, a user's, whole and alone; its honest translation comes back."""
    honest = {injection.line.text: injection.line.translation for injection in INJECTIONS}
    openai_server.answer = Answer(text=lambda request: honest[request.text])
    lines = [injection.line for injection in INJECTIONS]
    assert [result.text for result in await say(lines)] == [line.translation.strip() for line in lines]
    last = [request.json["messages"][-1] for request in openai_server.requests]
    assert sorted(message["content"] for message in last) == sorted(line.text for line in lines)
    assert {message["role"] for message in last} == {"user"}


async def test_no_part_of_an_injection_is_among_the_instructions(openai_server, say):
    """They are the same as for any other text, and no four words in a row of it are in them."""
    lines = [injection.line for injection in INJECTIONS]
    await say(lines)
    bodies = by_text(openai_server.requests)
    for line in lines:
        systems = [m["content"] for body in bodies[line.text] for m in body if m["role"] == "system"]
        assert systems == [prompt.instructions(asked(line, "Hi"), firm=False)]
        assert not runs(line.text) & set(itertools.chain(*map(runs, systems))), line.text


@pytest.mark.parametrize("place", range(MOST_REPLIES))
async def test_a_model_that_obeys_is_asked_twice_and_then_given_up(openai_server, say, place):
    """After exactly two requests, the second one firmer, the translation has failed: the original is kept."""
    obeying = {line.text: replies[place] for line, replies in INJECTIONS if len(replies) > place}
    openai_server.answer = Answer(text=lambda request: obeying[request.text])
    lines = [line for line, _ in INJECTIONS if line.text in obeying]
    results = await say(lines)
    unnoticed = [
        line.text for line, result in zip(lines, results, strict=True) if type(result) is not TranslationFailed
    ]
    assert unnoticed == []
    bodies = by_text(openai_server.requests)
    for line in lines:
        assert bodies[line.text] == [prompt.messages(asked(line)), prompt.messages(asked(line), firm=True)]


def test_the_second_request_is_firmer():
    """It says all that the first one does, and more."""
    for line, _ in INJECTIONS:
        first, second = (prompt.instructions(asked(line), firm=firm) for firm in (False, True))
        assert second.startswith(first)
        assert "was not a translation" in second.removeprefix(first)
