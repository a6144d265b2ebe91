"""Broadcasts: what members push, REST takes and the database sends, turned into messages for a room; pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from supalocal.realtime.frames import Broadcast, Frame

TOO_LARGE = "payload_size_exceeded"
_BLANK, _INVALID = "can't be blank", "is invalid"
_TOO_LARGE_FOR_REST = "Payload size exceeds tenant limit"


class BatchError(ValueError):
    """A REST broadcast that is refused; `errors` is the body of the 422 answer."""

    def __init__(self, errors: dict[str, Any]) -> None:
        super().__init__(str(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class RoomMessage:
    """A broadcast and the room it goes to; `topic` without `realtime:`."""

    topic: str
    is_private: bool
    broadcast: Broadcast


def pushed(frame: Frame, max_bytes: int) -> Broadcast | None:
    """Return what a member's push sends on, verbatim; None when it is larger than that."""
    if frame.user:
        broadcast = Broadcast.of(frame.user.event, frame.user.body)
        return broadcast if _size(frame.user.body) <= max_bytes else None
    envelope = _json(frame.payload)
    return Broadcast(envelope) if _size(envelope) <= max_bytes else None


def parse_batch(body: Any, max_bytes: int) -> list[RoomMessage]:
    """Return the messages of a REST batch; BatchError tells what is missing in which."""
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages:
        raise BatchError({"errors": {"messages": [_BLANK]}})
    errors = [_errors(message, max_bytes) for message in messages]
    if any(errors):
        raise BatchError({"errors": {"messages": errors}})
    return [_room_message(message) for message in messages]


def parse_single(topic: str, event: str, body: str | bytes, max_bytes: int, *, is_private: bool) -> RoomMessage:
    """Return the message of REST's endpoint for one; `body` is JSON text, or raw bytes. BatchError: it is too large."""
    if _size(body) > max_bytes:
        raise BatchError({"errors": {"payload": [_TOO_LARGE_FOR_REST]}})
    return RoomMessage(topic, is_private, Broadcast.of(event, body))


def _errors(message: Any, max_bytes: int) -> dict[str, list[str]]:
    message = message if isinstance(message, dict) else {}
    shapes = {"payload": dict, "event": str, "topic": str}
    found = {}
    for name, shape in shapes.items():
        if message.get(name) in (None, ""):
            found[name] = [_BLANK]
        elif not isinstance(message[name], shape):
            found[name] = [_INVALID]
    if not found and _size(_json(message["payload"])) > max_bytes:
        found["payload"] = [_TOO_LARGE_FOR_REST]
    return found


def _room_message(message: dict[str, Any]) -> RoomMessage:
    meta = {"id": message["id"]} if isinstance(message.get("id"), str) else None
    broadcast = Broadcast.of(message["event"], _json(message["payload"]), meta=meta, is_binary_frame=meta is not None)
    return RoomMessage(message["topic"], message.get("private") in (True, "true", "1"), broadcast)


def from_row(row: Mapping[str, object], *, is_replayed: bool = False) -> RoomMessage | None:
    """Return the broadcast that a row of realtime.messages stands for; None where it is none.

    The row holds PostgreSQL's text forms. A row without event or payload is what a policy's test looks like, or made
    by hand: the real server drops it as well.
    """
    topic, event, body = row["topic"], row["event"], _body(row)
    if not isinstance(topic, str) or not isinstance(event, str) or body is None:
        return None
    if row["private"] is None or row.get("skip_broadcast") == "t":
        return None
    meta = {"replayed": True, "id": row["id"]} if is_replayed else {"id": row["id"]}
    return RoomMessage(topic, row["private"] == "t", Broadcast.of(event, body, meta=meta))


def _body(row: Mapping[str, object]) -> str | bytes | None:
    raw, text = row.get("binary_payload"), row["payload"]
    if isinstance(raw, str):
        return bytes.fromhex(raw.removeprefix("\\x"))
    return text if isinstance(text, str) else None


def _size(body: str | bytes) -> int:
    return len(body.encode() if isinstance(body, str) else body)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
