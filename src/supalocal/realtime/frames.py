"""The two framings of a Realtime socket, `vsn` 1.0.0 (objects) and 2.0.0 (arrays and binary), as pure codecs."""

import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

USER_BROADCAST_PUSH = 3
USER_BROADCAST = 4
_JSON_ENCODING = 1
_PUSH_SIZES = 5
_LONGEST_FIELD = 255
_SHORT_FRAME, _MEDIUM_FRAME = 125, 0xFFFF
# A surrogate alone is legal in JSON text but not in UTF-8; such a frame would fail when it is sent on.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class MalformedFrameError(ValueError):
    """The frame cannot be read; the real server ignores it and keeps the connection."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message from a client. `binary` holds the payload of a raw broadcast, else `payload` counts."""

    topic: str
    event: str
    payload: Any
    ref: str | None = None
    join_ref: str | None = None
    binary: bytes | None = None


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast on its way to receivers; `body` is JSON text, or bytes for a raw one."""

    event: str
    body: str | bytes
    envelope: str
    """The 1.0.0 payload as JSON text; empty for a raw binary body, which 1.0.0 cannot carry."""
    meta: str = ""


class Codec:
    """Reads and writes frames of one `vsn`."""

    def __init__(self, vsn: Literal["1.0.0", "2.0.0"]) -> None:
        self.vsn = vsn
        self._arrays = vsn == "2.0.0"

    def decode(self, data: str | bytes) -> Frame:
        """Return the client's message; MalformedFrameError when it is not one."""
        if isinstance(data, bytes):
            return _decode_binary(data) if self._arrays else _refuse("a binary frame needs vsn 2.0.0")
        message = _parse(data)
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
        binary = _encode_user_broadcast(topic, broadcast) if self._arrays else None
        if binary or not broadcast.envelope:
            return binary
        return self.encode(topic, "broadcast", broadcast.envelope)


@lru_cache(maxsize=4096)
def _quoted(text: str | None) -> str:
    return json.dumps(text)


def _refuse(reason: str) -> Frame:
    raise MalformedFrameError(reason)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise MalformedFrameError("the frame is not JSON") from exc


def _from_object(message: Any) -> Frame:
    if not isinstance(message, dict) or not {"topic", "event", "payload", "ref"} <= message.keys():
        raise MalformedFrameError("a 1.0.0 frame is an object with topic, event, payload and ref")
    return _frame(message.get("join_ref"), *_body(message))


def _body(message: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    return message["ref"], message["topic"], message["event"], message["payload"]


def _from_array(message: Any) -> Frame:
    size = 5
    if not isinstance(message, list) or len(message) != size:
        raise MalformedFrameError("a 2.0.0 frame is an array of join_ref, ref, topic, event and payload")
    return _frame(*message)


def _frame(join_ref: Any, ref: Any, topic: Any, event: Any, payload: Any) -> Frame:
    if not isinstance(topic, str) or not isinstance(event, str) or _LONE_SURROGATE.search(topic + event):
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
    join_ref, ref, topic, event, meta = fields
    if encoding != _JSON_ENCODING:
        return _binary_frame(join_ref, ref, topic, {"type": "broadcast", "event": event}, meta, body)
    payload = {"type": "broadcast", "event": event, "payload": _parse(_utf8(body))}
    return _binary_frame(join_ref, ref, topic, payload, meta, None)


def _binary_frame(join_ref: str, ref: str, topic: str, payload: Any, meta: str, binary: bytes | None) -> Frame:
    if meta:
        payload = {**payload, "meta": _parse(meta)}
    return Frame(topic, "broadcast", payload, ref or None, join_ref or None, binary)


def _split(data: bytes, sizes: Sequence[int]) -> tuple[list[str], bytes]:
    fields, start = [], 0
    for size in sizes:
        if start + size > len(data):
            raise MalformedFrameError("the binary frame is shorter than its sizes say")
        fields.append(_utf8(data[start : start + size]))
        start += size
    return fields, data[start:]


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise MalformedFrameError("the binary frame holds text that is not UTF-8") from exc


def _encode_user_broadcast(topic: str, broadcast: Broadcast) -> bytes | None:
    """Return a kind 4 frame where text could not say the same; its fields have room for 255 bytes each."""
    is_raw = isinstance(broadcast.body, bytes)
    fields = [field.encode() for field in (topic, broadcast.event, broadcast.meta)]
    if not (is_raw or broadcast.meta) or any(len(field) > _LONGEST_FIELD for field in fields):
        return None
    body = broadcast.body if isinstance(broadcast.body, bytes) else broadcast.body.encode()
    return bytes([USER_BROADCAST, *map(len, fields), int(not is_raw)]) + b"".join(fields) + body


def websocket_frame(data: str | bytes) -> bytes:
    """Return the bytes that carry a whole message from server to client (RFC 6455: final, unmasked)."""
    opcode, body = (0x81, data.encode()) if isinstance(data, str) else (0x82, data)
    size = len(body)
    if size <= _SHORT_FRAME:
        return bytes((opcode, size)) + body
    if size <= _MEDIUM_FRAME:
        return struct.pack(">BBH", opcode, 126, size) + body
    return struct.pack(">BBQ", opcode, 127, size) + body
