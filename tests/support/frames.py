"""What becomes of the text frames that Realtime's server sends on a client's websocket."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# The frames that the client gets now in place of this one: perhaps none, or some that were held back.
Hook = Callable[[str], list[str]]
# Called once for each websocket, as what one hook holds back must not come out on another.
Hooks = Callable[[], Hook]


@dataclass(eq=False)
class Socket:
    """A websocket that a client opened, and the server's text frames on it, as they came."""

    hook: Hook
    is_open: bool = True
    frames: list[str] = field(default_factory=list)

    @property
    def changes(self) -> list[Any]:
        """The payloads of the `postgres_changes` frames among them."""
        return [change for change in map(change_in, self.frames) if change is not None]

    def take(self, frame: str) -> list[str]:
        self.frames.append(frame)
        return self.hook(frame)


def change_in(frame: str) -> Any | None:
    """The payload of a `postgres_changes` frame of either protocol version, or None for any other frame."""
    message = json.loads(frame)
    event, payload = message[3:] if isinstance(message, list) else (message.get("event"), message.get("payload"))
    return payload if event == "postgres_changes" else None


def untouched() -> Hook:
    """Every frame passes."""
    return lambda frame: [frame]


def unreliable(seed: int, *, drop: float = 0.0, duplicate: float = 0.0, reorder: float = 0.0) -> Hooks:
    """Drop, double or hold back `postgres_changes` frames, each with that probability; others pass.

    One held back comes after the frame that follows it. The same seed and frames, in the same order, give the same.
    """
    chance = random.Random(seed)  # noqa: S311  no secret

    def hooks() -> Hook:
        held: list[str] = []

        def hook(frame: str) -> list[str]:
            nonlocal held
            released, held = held, []
            if change_in(frame) is None:
                return [frame, *released]
            fate = chance.random()
            if fate < drop:
                return released
            if fate < drop + duplicate:
                return [frame, frame, *released]
            if fate < drop + duplicate + reorder:
                held = [frame]
                return released
            return [frame, *released]

        return hook

    return hooks
