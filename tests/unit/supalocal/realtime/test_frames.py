"""Both framings, byte for byte."""

import pytest

from supalocal.realtime.frames import Broadcast, Codec, Frame, MalformedFrameError, UserBroadcast, websocket_frame

OBJECTS, ARRAYS = Codec("1.0.0"), Codec("2.0.0")


def test_an_object_frame_is_read():
    """At 1.0.0 a message is an object, and join_ref may be missing."""
    text = '{"topic":"realtime:a","event":"phx_join","payload":{"x":1},"ref":"1"}'
    assert OBJECTS.decode(text) == Frame("realtime:a", "phx_join", {"x": 1}, "1", None)


def test_a_null_ref_is_read():
    """supabase-py sends heartbeats with a null ref."""
    text = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":null,"join_ref":null}'
    assert OBJECTS.decode(text).ref is None


def test_an_array_frame_is_read():
    """At 2.0.0 a message is an array that begins with join_ref and ref."""
    assert ARRAYS.decode('["1","2","realtime:a","phx_leave",{}]') == Frame("realtime:a", "phx_leave", {}, "2", "1")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"topic":"a","event":"b","payload":{}}', '"x"', "[" * 100_000]
)
def test_a_malformed_object_frame_is_refused(text):
    """What is no whole message raises, so that the socket can ignore it."""
    with pytest.raises(MalformedFrameError):
        OBJECTS.decode(text)


@pytest.mark.parametrize(
    "data", ["{}", "[1,2,3]", '[null,null,1,"e",{}]', '[[],null,"t","e",{}]', b"", b"\x00", b"\x03" + b"\xff" * 6]
)
def test_a_malformed_array_frame_is_refused(data):
    """The same holds for 2.0.0, binary frames included."""
    with pytest.raises(MalformedFrameError):
        ARRAYS.decode(data)


def test_a_binary_frame_needs_arrays():
    """1.0.0 has no binary frames."""
    with pytest.raises(MalformedFrameError):
        OBJECTS.decode(b"\x03\x00\x00\x00\x00\x00\x01{}")


def test_a_json_user_broadcast_push_keeps_its_text():
    """Kind 3 with encoding 1 is the event broadcast; its JSON goes on as it came, its metadata does not."""
    data = bytes([3, 1, 1, 10, 4, 2, 1]) + b"12realtime:aping{}" + b'{"n": 1.50}'
    expected = UserBroadcast("ping", '{"n": 1.50}')
    assert ARRAYS.decode(data) == Frame("realtime:a", "broadcast", {}, "2", "1", expected)


def test_a_raw_user_broadcast_push_keeps_its_bytes():
    """Kind 3 with encoding 0 carries bytes as they are."""
    frame = ARRAYS.decode(bytes([3, 1, 1, 10, 4, 0, 0]) + b"12realtime:aping" + b"\xff\x00")
    assert frame.user == UserBroadcast("ping", b"\xff\x00")


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e400", r'"\ud800"', "[" * 100_000])
def test_what_cannot_be_sent_on_is_refused(value):
    """Python would read each of these, and no client could read what came of it."""
    with pytest.raises(MalformedFrameError):
        ARRAYS.decode(f'[null,null,"t","e",{{"x":{value}}}]')
    with pytest.raises(MalformedFrameError):
        ARRAYS.decode(bytes([3, 0, 0, 1, 1, 0, 1]) + b"te" + value.encode())


def test_surrogate_pairs_are_fine():
    """An escaped pair is one character."""
    assert ARRAYS.decode(r'[null,null,"t","e","\ud83d\ude00"]').payload == "\U0001f600"


def test_an_object_frame_is_written_without_join_ref():
    """At 1.0.0 the server never sends join_ref, and always ref."""
    assert OBJECTS.encode("t", "system", '{"a":1}', join_ref="1") == (
        '{"topic":"t","event":"system","payload":{"a":1},"ref":null}'
    )


def test_an_array_frame_is_written():
    """At 2.0.0 both refs lead."""
    assert ARRAYS.encode("t", "phx_close", "{}", ref="1", join_ref="1") == '["1","1","t","phx_close",{}]'


def test_a_raw_broadcast_cannot_be_written_at_1_0_0():
    """A raw body is dropped for 1.0.0 and becomes kind 4 for 2.0.0."""
    raw = Broadcast.of("ping", b"\x01\x02")
    assert OBJECTS.encode_broadcast("realtime:a", raw) is None
    assert ARRAYS.encode_broadcast("realtime:a", raw) == bytes([4, 10, 4, 0, 0]) + b"realtime:aping\x01\x02"


def test_a_user_broadcast_is_binary_at_2_0_0():
    """Metadata travels in kind 4 with encoding 1, and inside the envelope at 1.0.0."""
    broadcast = Broadcast.of("e", "{}", meta={"id": 1})
    assert ARRAYS.encode_broadcast("t", broadcast) == bytes([4, 1, 1, 9, 1]) + b'te{"id": 1}{}'
    assert OBJECTS.encode_broadcast("t", broadcast) == (
        '{"topic":"t","event":"broadcast","payload":'
        '{"type":"broadcast","event":"e","payload":{},"meta":{"id": 1}},"ref":null}'
    )


def test_a_pushed_text_stays_text_at_2_0_0():
    """Only what came as a user broadcast, or from the database, goes on as one."""
    assert ARRAYS.encode_broadcast("t", Broadcast('{"event":"e"}')) == '[null,null,"t","broadcast",{"event":"e"}]'


def test_a_long_name_goes_as_text():
    """Kind 4 has 255 bytes for a field; what needs more is written as the other clients get it."""
    long = Broadcast.of("e" * 256, "{}")
    assert ARRAYS.encode_broadcast("t", long) == f'[null,null,"t","broadcast",{long.envelope}]'
    assert ARRAYS.encode_broadcast("t", Broadcast.of("e" * 256, b"")) is None


@pytest.mark.parametrize(
    ("data", "header"),
    [
        ("é", b"\x81\x02"),
        (b"\x00", b"\x82\x01"),
        ("x" * 126, b"\x81\x7e\x00\x7e"),
        ("x" * 65536, b"\x81\x7f" + (65536).to_bytes(8, "big")),
    ],
)
def test_a_websocket_frame_has_the_shortest_length(data, header):
    """Sizes up to 125, 65535 and beyond take one, three and nine bytes."""
    body = data.encode() if isinstance(data, str) else data
    assert websocket_frame(data) == header + body
