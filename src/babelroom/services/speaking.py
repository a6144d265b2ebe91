"""A text on its way to sound: awaited for the whole of it, or iterated over as it comes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

from babelroom.results import Latency, Speech


class Speaking:
    """What speak() returns: `await` it for a Speech, or take its parts with `async for`, to play them as they come."""

    def __init__(self, speak: Callable[[], AsyncIterator[bytes]], finish: Callable[[bytes, Latency], Speech]) -> None:
        self._speak = speak
        self._finish = finish
        self.speech: Speech | None = None
        """All of it, with what it cost, once every part has come."""

    def __await__(self) -> Generator[Any, None, Speech]:
        return self._whole().__await__()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        begun = time.perf_counter()
        first: float | None = None
        parts: list[bytes] = []
        async for part in self._speak():
            first = ms_since(begun) if first is None else first
            parts.append(part)
            yield part
        self.speech = self._finish(b"".join(parts), Latency(first=first, total=ms_since(begun)))

    async def _whole(self) -> Speech:
        async for _ in self:
            pass
        if self.speech is None:
            raise RuntimeError("The speech ended without an end.")
        return self.speech


def ms_since(begun: float) -> float:
    """Return the milliseconds since an instant of time.perf_counter()."""
    return (time.perf_counter() - begun) * 1_000
