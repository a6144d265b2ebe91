"""Reading chat completions: cut anywhere, streamed or not, and what is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babelroom.providers.completion import Completion, Garbled

WORDS = ["Hola", ", ", "¿qué tal?", " 😀"]
EVENTS = [
    *({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}], "usage": None} for word in WORDS),
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 4}},
]
STREAM = b"".join(b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n" for event in EVENTS)
PLAIN = json.dumps(
    {
        "choices": [{"index": 0, "message": {"content": "".join(WORDS)}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 4},
    }
).encode()


def read(*pieces):
    """What has come of the bytes at their end."""
    completion = Completion()
    for piece in pieces:
        completion.feed(piece)
    completion.end()
    return completion


@pytest.mark.parametrize("body", [STREAM + b"data: [DONE]\n\n", STREAM, STREAM.replace(b"\n", b"\r\n"), PLAIN])
@given(data=st.data())
def test_it_does_not_matter_where_the_bytes_are_cut(body, data):
    """Network packets end anywhere, also within a letter."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    completion = read(*(body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)))
    assert (completion.text, completion.finish_reason, completion.tokens) == ("".join(WORDS), "stop", (7, 4))
    assert completion.is_whole


def test_the_text_is_there_as_soon_as_its_event_is():
    """Nobody waits for the next event."""
    completion = Completion()
    completion.feed(b'data: {"choices":[{"delta":{"content":"Hola"}}]}\n\n')
    assert (completion.text, completion.is_whole) == ("Hola", False)


def test_comments_and_other_fields_are_passed_over():
    """Servers send comments to keep a connection alive."""
    assert read(b": wait\n\nevent: x\nid: 1\nretry: 5\n", STREAM).text == "".join(WORDS)


def test_an_event_may_have_lines():
    """Data of several lines is one event, by the specification of server-sent events."""
    assert read(b'data: {"choices":\ndata: [{"delta":{"content":"Hola"}}]}\n\n').text == "Hola"


def test_a_last_event_needs_no_empty_line():
    """The stream's end ends it too."""
    assert read(STREAM, b"data: [DONE]").is_done


def test_half_a_last_event_is_no_garbage():
    """A stream that is cut has what came before, and is not whole."""
    completion = read(b'data: {"choices":[{"delta":{"content":"Hola"}}]}\n\ndata: {"cho')
    assert (completion.text, completion.is_whole) == ("Hola", False)


def test_nothing_at_all_is_not_whole():
    """An empty body is a stream that was cut at its beginning."""
    assert not read(b"").is_whole


def test_an_error_in_the_stream_is_kept():
    """A server that fails in the middle says so in an event."""
    completion = read(b'data: {"error":{"message":"overloaded"}}\n\n')
    assert (completion.error, completion.is_whole) == ({"message": "overloaded"}, False)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>It works!</html>\n",
        b"Bad gateway",
        b"data: <html>\n\n",
        b"data: [1]\n\n",
        b"data: 5\n\n",
        b'{"choices": 5}',
        b'{"choices": [{"message": "Hola"}]}',
        b'{"choices": [{"message": {"content": ["Hola"]}}]}',
        b'{"choices"',
        b"data: \xff\n\n",
        b"\x1f\x8b\x00\n",
    ],
)
def test_what_is_no_completion_is_an_error(body):
    """Pages, other JSON, half of a JSON, and bytes that are no text."""
    with pytest.raises(Garbled):
        read(body)


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b"data:", b"{", b"\n", b'"choices"', b"[]", b"}"]))))
def test_no_bytes_raise_anything_else(pieces):
    """Whatever a server sends is a completion, an unfinished one, or Garbled."""
    try:
        read(*pieces)
    except Garbled:
        return
