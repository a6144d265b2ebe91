"""Broadcasts from sockets, from REST and from the database."""

import json

import pytest

from supalocal.realtime.broadcast import BatchError, RoomMessage, from_row, parse_batch, parse_single, pushed
from supalocal.realtime.frames import Broadcast, Frame, UserBroadcast

PLENTY = 1000
ROW = {
    "topic": "a",
    "event": "e",
    "payload": '{"n": 1.50}',
    "binary_payload": None,
    "private": "t",
    "id": "i",
    "skip_broadcast": "f",
}


def test_a_push_goes_on_verbatim():
    """Unknown keys stay and none is added."""
    payload = {"event": "e", "payload": {"n": 1}, "extra": True}
    assert json.loads(pushed(Frame("realtime:a", "broadcast", payload), PLENTY).envelope) == payload


def test_a_binary_push_goes_on_as_it_came():
    """Its JSON text is not written anew, and 1.0.0 gets it within an envelope."""
    message = pushed(Frame("realtime:a", "broadcast", {}, user=UserBroadcast("e", '{"n": 1.50}')), PLENTY)
    assert message == Broadcast(
        '{"type":"broadcast","event":"e","payload":{"n": 1.50}}', UserBroadcast("e", '{"n": 1.50}')
    )


@pytest.mark.parametrize(
    "frame", [{"payload": {"payload": "xxx"}}, {"payload": {}, "user": UserBroadcast("e", b"xxx")}]
)
def test_a_large_push_is_dropped(frame):
    """Nothing above the limit goes on, in either framing."""
    assert pushed(Frame("realtime:a", "broadcast", **frame), 2) is None


def test_a_batch_becomes_messages():
    """An id becomes the message's meta."""
    [message] = parse_batch({"messages": [{"topic": "a", "event": "e", "payload": {}, "id": "i"}]}, PLENTY)
    envelope = '{"type":"broadcast","event":"e","payload":{},"meta":{"id": "i"}}'
    assert message.broadcast == Broadcast(envelope, UserBroadcast("e", "{}"), '{"id": "i"}', "i")
    assert (message.topic, message.is_private) == ("a", False)


@pytest.mark.parametrize(("private", "is_private"), [(True, True), ("true", True), (False, False), (None, False)])
def test_a_batch_says_which_messages_are_private(private, is_private):
    """The flag may be a string, and is false without one."""
    [message] = parse_batch({"messages": [{"topic": "a", "event": "e", "payload": {}, "private": private}]}, PLENTY)
    assert message.is_private is is_private


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (None, ["can't be blank"]),
        ({"messages": []}, ["can't be blank"]),
        (
            {"messages": [{"topic": "a"}, {"topic": "a", "event": "e", "payload": {}}]},
            [{"payload": ["can't be blank"], "event": ["can't be blank"]}, {}],
        ),
        (
            {"messages": [{"topic": "a", "event": "e", "payload": {"x": "x" * PLENTY}}]},
            [{"payload": ["Payload size exceeds tenant limit"]}],
        ),
        ({"messages": [{"topic": "a", "event": "e", "payload": [1]}]}, [{"payload": ["is invalid"]}]),
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(body, errors):
    """Each message's errors stand at its place."""
    with pytest.raises(BatchError) as refusal:
        parse_batch(body, PLENTY)
    assert refusal.value.errors == {"errors": {"messages": errors}}


def test_a_single_message_is_its_body():
    """The path's event goes around the body."""
    assert parse_single("a", "e", '{"n":1}', PLENTY, is_private=True) == RoomMessage(
        "a", is_private=True, broadcast=Broadcast.of("e", '{"n":1}')
    )


def test_a_row_becomes_a_message():
    """The row's id is the message's meta, and its payload the text that the database holds."""
    message = from_row(ROW)
    envelope = '{"type":"broadcast","event":"e","payload":{"n": 1.50},"meta":{"id": "i"}}'
    assert (message.topic, message.is_private, message.broadcast.envelope) == ("a", True, envelope)


def test_a_replayed_row_says_so():
    """The meta tells a past message from a live one."""
    assert json.loads(from_row(ROW, is_replayed=True).broadcast.meta) == {"replayed": True, "id": "i"}


def test_a_row_of_bytes_becomes_a_raw_message():
    """The binary payload is what 2.0.0 gets, and 1.0.0 cannot have it."""
    message = from_row(ROW | {"payload": None, "binary_payload": "\\x00ff"}).broadcast
    assert (message.user.body, message.envelope) == (b"\x00\xff", "")


@pytest.mark.parametrize("lacking", [{"event": None}, {"payload": None}, {"private": None}, {"skip_broadcast": "t"}])
def test_a_row_without_a_message_is_none(lacking):
    """What has no event or payload, or is to be skipped, is not sent."""
    assert from_row(ROW | lacking) is None
