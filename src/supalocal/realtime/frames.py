"""The two framings of a Realtime socket, `vsn` 1.0.0 (objects) and 2.0.0 (arrays and binary), as pure codecs."""

import json
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NoReturn

USER_BROADCAST_PUSH = 3
USER_BROADCAST = 4
_RAW_ENCODING, _JSON_ENCODING = 0, 1
_PUSH_SIZES = 5
_ARRAY_SIZE = 5
_LONGEST_FIELD = 255
_SHORT_FRAME, _MEDIUM_FRAME = 125, 0xFFFF
# A surrogate alone is legal in JSON text but not in UTF-8; such a frame would fail when it is sent on.
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class MalformedFrameError(ValueError):
    """The frame cannot be read; the real server ignores it and keeps the connection."""


@dataclass(frozen=True, slots=True)
class UserBroadcast:
    """The content of a binary broadcast push (kind 3), which goes on as it came: JSON text, or raw bytes."""

    event: str
    body: str | bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """One message from a client; of a binary broadcast push, `user` counts and not `payload`."""

    topic: str
    event: str
    payload: Any
    ref: str | None = None
    join_ref: str | None = None
    user: UserBroadcast | None = None


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast on its way to receivers: as the text of its whole payload, or as a user broadcast, or both."""

    envelope: str
    """The payload as JSON text; empty for raw bytes, which 1.0.0 cannot carry."""
    user: UserBroadcast | None = None
    """What 2.0.0 gets as a binary frame (kind 4); without it, it gets the envelope as 1.0.0 does."""
    meta: str = ""
    id: str | None = None
    """The message's id, by which a replayed one is known."""
    wires: dict[str, bytes | None] = field(default_factory=dict, compare=False)
    """What goes out, by `vsn`: a room's members share it."""

    @classmethod
    def of(
        cls, event: str, body: str | bytes, *, meta: dict[str, Any] | None = None, is_binary_frame: bool = True
    ) -> "Broadcast":
        """Return the broadcast of an event; `body` is JSON text or raw bytes, `meta` says where it comes from."""
        about = json.dumps(meta) if meta else ""
        envelope = ""
        if isinstance(body, str):
            tail = f',"meta":{about}' if about else ""
            envelope = f'{{"type":"broadcast","event":{_quoted(event)},"payload":{body}{tail}}}'
        user = UserBroadcast(event, body) if is_binary_frame else None
        return cls(envelope, user, about, str(meta["id"]) if meta and "id" in meta else None)


class Codec:
    """Reads and writes frames of one `vsn`."""

    def __init__(self, vsn: Literal["1.0.0", "2.0.0"]) -> None:
        self.vsn = vsn
        self._arrays = vsn == "2.0.0"

    def decode(self, data: str | bytes) -> Frame:
        """Return the client's message; MalformedFrameError when it is not one."""
        if isinstance(data, bytes):
            return _decode_binary(data) if self._arrays else _refuse("a binary frame needs vsn 2.0.0")
        message = parse_json(data)
        return _from_array(message) if self._arrays else _from_object(message)

    def encode(
        self, topic: str, event: str, payload: str, *, ref: str | None = None, join_ref: str | None = None
    ) -> str:
        """Return the frame's text; `payload` is JSON text already."""
        if self._arrays:
            return f"[{_quoted(join_ref)},{_quoted(ref)},{_quoted(topic)},{_quoted(event)},{payload}]"
        return f'{{"topic":{_quoted(topic)},"event":{_quoted(event)},"payload":{payload},"ref":{_quoted(ref)}}}'

    def encode_broadcast(self, topic: str, broadcast: Broadcast) -> str | bytes | None:
        """Return the frame of a broadcast, or None when this `vsn` cannot carry it (a raw body at 1.0.0)."""
        binary = None
        if self._arrays and broadcast.user:
            binary = _encode_user_broadcast(topic, broadcast.user.event, broadcast.meta, broadcast.user.body)
        if binary or not broadcast.envelope:
            return binary
        return self.encode(topic, "broadcast", broadcast.envelope)


def broadcast_wire(codec: Codec, topic: str, broadcast: Broadcast) -> bytes | None:
    """Return the websocket frame of a broadcast, made once for a room and a `vsn`; None as `encode_broadcast`."""
    if codec.vsn not in broadcast.wires:
        data = codec.encode_broadcast(topic, broadcast)
        broadcast.wires[codec.vsn] = None if data is None else websocket_frame(data)
    return broadcast.wires[codec.vsn]


def _quoted(text: str | None) -> str:
    return json.dumps(text) if text is None or len(text) > _LONGEST_FIELD else _quoted_short(text)


@lru_cache(maxsize=4096)
def _quoted_short(text: str) -> str:
    return json.dumps(text)


def _refuse(reason: str) -> NoReturn:
    raise MalformedFrameError(reason)


def parse_json(text: str) -> Any:
    """Return the value of a JSON text that can be sent on as it is; MalformedFrameError otherwise.

    Python also takes NaN, numbers that become infinite, and lone surrogates.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if _ESCAPED_SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as exc:
        raise MalformedFrameError("it is not JSON") from exc
    return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise MalformedFrameError("it holds a number beyond the range of a double")
    return number


def _from_object(message: Any) -> Frame:
    if not isinstance(message, dict) or not {"topic", "event", "payload", "ref"} <= message.keys():
        raise MalformedFrameError("a 1.0.0 frame is an object with topic, event, payload and ref")
    return _frame(message.get("join_ref"), message["ref"], message["topic"], message["event"], message["payload"])


def _from_array(message: Any) -> Frame:
    if not isinstance(message, list) or len(message) != _ARRAY_SIZE:
        raise MalformedFrameError("a 2.0.0 frame is an array of join_ref, ref, topic, event and payload")
    return _frame(*message)


def _frame(join_ref: Any, ref: Any, topic: Any, event: Any, payload: Any) -> Frame:
    if not isinstance(topic, str) or not isinstance(event, str):
        raise MalformedFrameError("topic and event must be strings")
    return Frame(topic, event, payload, _ref(ref), _ref(join_ref))


def _ref(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise MalformedFrameError("ref and join_ref must be strings or null")


def _decode_binary(data: bytes) -> Frame:
    if len(data) < _PUSH_SIZES + 2 or data[0] != USER_BROADCAST_PUSH:
        raise MalformedFrameError("the only binary frame a client sends is a user broadcast push (kind 3)")
    *sizes, encoding = data[1 : _PUSH_SIZES + 2]
    fields, body = _split(data[_PUSH_SIZES + 2 :], sizes)
    join_ref, ref, topic, event, _ = fields
    return Frame(topic, "broadcast", {}, ref or None, join_ref or None, _user_broadcast(event, encoding, body))


def _user_broadcast(event: str, encoding: int, body: bytes) -> UserBroadcast:
    if encoding != _JSON_ENCODING:
        return UserBroadcast(event, body)
    text = utf8(body)
    parse_json(text)
    return UserBroadcast(event, text)


def _split(data: bytes, sizes: Sequence[int]) -> tuple[list[str], bytes]:
    fields, start = [], 0
    for size in sizes:
        if start + size > len(data):
            raise MalformedFrameError("the binary frame is shorter than its sizes say")
        fields.append(utf8(data[start : start + size]))
        start += size
    return fields, data[start:]


def utf8(data: bytes) -> str:
    """Return the text; MalformedFrameError when it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise MalformedFrameError("it holds text that is not UTF-8") from exc


def _encode_user_broadcast(topic: str, event: str, meta: str, body: str | bytes) -> bytes | None:
    """Return a kind 4 frame, or None when a field needs more than the 255 bytes there are."""
    fields = [field.encode() for field in (topic, event, meta)]
    if any(len(field) > _LONGEST_FIELD for field in fields):
        return None
    encoding, payload = (_JSON_ENCODING, body.encode()) if isinstance(body, str) else (_RAW_ENCODING, body)
    return bytes([USER_BROADCAST, *map(len, fields), encoding]) + b"".join(fields) + payload


def websocket_frame(data: str | bytes) -> bytes:
    """Return the bytes that carry a whole message from server to client (RFC 6455: final, unmasked)."""
    opcode, body = (0x81, data.encode()) if isinstance(data, str) else (0x82, data)
    size = len(body)
    if size <= _SHORT_FRAME:
        return bytes((opcode, size)) + body
    if size <= _MEDIUM_FRAME:
        return struct.pack(">BBH", opcode, 126, size) + body
    return struct.pack(">BBQ", opcode, 127, size) + body
