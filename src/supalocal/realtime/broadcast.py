"""Broadcasts: what a member pushes, and what the REST endpoint takes, turned into messages for a room; pure."""

import json
from dataclasses import dataclass
from typing import Any

from supalocal.realtime.frames import Broadcast, Frame

MAX_PAYLOAD_BYTES = 3_000_500
TOO_LARGE = "payload_size_exceeded"
_BLANK, _INVALID = "can't be blank", "is invalid"


class BatchError(ValueError):
    """A REST batch that is refused; `errors` is the body of the 422 answer."""

    def __init__(self, errors: dict[str, Any]) -> None:
        super().__init__(str(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class RoomMessage:
    """A broadcast and the room it goes to; `topic` without `realtime:`."""

    topic: str
    is_private: bool
    broadcast: Broadcast


def pushed(frame: Frame) -> Broadcast | None:
    """Return what a member's push sends on, verbatim; None when it is too large for the real server."""
    payload = frame.payload if isinstance(frame.payload, dict) else {}
    event = payload.get("event")
    name = event if isinstance(event, str) else ""
    body: str | bytes = json.dumps(payload, ensure_ascii=False) if frame.binary is None else frame.binary
    if (len(body) if isinstance(body, bytes) else len(body.encode())) > MAX_PAYLOAD_BYTES:
        return None
    return Broadcast(name, body, body if isinstance(body, str) else "")


def parse_batch(body: Any) -> list[RoomMessage]:
    """Return the messages of a REST batch; BatchError tells what is missing in which."""
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages:
        raise BatchError({"errors": {"messages": [_BLANK]}})
    errors = [_errors(message) for message in messages]
    if any(errors):
        raise BatchError({"errors": {"messages": errors}})
    return [_room_message(message) for message in messages]


def _errors(message: Any) -> dict[str, list[str]]:
    message = message if isinstance(message, dict) else {}
    shapes = {"payload": dict, "event": str, "topic": str}
    found = {}
    for name, shape in shapes.items():
        if message.get(name) in (None, ""):
            found[name] = [_BLANK]
        elif not isinstance(message[name], shape):
            found[name] = [_INVALID]
    return found


def _room_message(message: dict[str, Any]) -> RoomMessage:
    envelope = {"type": "broadcast", "event": message["event"], "payload": message["payload"]}
    meta = {"id": message["id"]} if isinstance(message.get("id"), str) else None
    text = json.dumps(envelope | ({"meta": meta} if meta else {}), ensure_ascii=False)
    body = json.dumps(message["payload"], ensure_ascii=False)
    broadcast = Broadcast(message["event"], body, text, json.dumps(meta) if meta else "")
    return RoomMessage(message["topic"], message.get("private") is True, broadcast)
