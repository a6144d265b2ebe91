"""Broadcasts from sockets and from REST."""

import json

import pytest

from supalocal.realtime.broadcast import MAX_PAYLOAD_BYTES, BatchError, parse_batch, pushed
from supalocal.realtime.frames import Broadcast, Frame


def test_a_push_goes_on_verbatim():
    """Unknown keys stay and none is added."""
    payload = {"event": "e", "payload": {"n": 1}, "extra": True}
    assert json.loads(pushed(Frame("realtime:a", "broadcast", payload)).envelope) == payload


def test_a_large_push_is_dropped():
    """The real server takes no more than 3000 kB."""
    assert pushed(Frame("realtime:a", "broadcast", {"payload": "x" * MAX_PAYLOAD_BYTES})) is None


def test_a_batch_becomes_messages():
    """An id becomes the message's meta."""
    [message] = parse_batch({"messages": [{"topic": "a", "event": "e", "payload": {}, "id": "i"}]})
    envelope = '{"type": "broadcast", "event": "e", "payload": {}, "meta": {"id": "i"}}'
    assert message.broadcast == Broadcast("e", "{}", envelope, '{"id": "i"}')
    assert (message.topic, message.is_private) == ("a", False)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (None, ["can't be blank"]),
        ({"messages": []}, ["can't be blank"]),
        (
            {"messages": [{"topic": "a"}, {"topic": "a", "event": "e", "payload": {}}]},
            [{"payload": ["can't be blank"], "event": ["can't be blank"]}, {}],
        ),
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(body, errors):
    """Each message's errors stand at its place."""
    with pytest.raises(BatchError) as refusal:
        parse_batch(body)
    assert refusal.value.errors == {"errors": {"messages": errors}}
