"""How a worker reports: one line on a terminal that is written again and again, else log lines for programs."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from babelroom.worker.events import JsonLines
from babelroom.worker.progress import Progress

_REFRESH_SECONDS = 0.25
_RATE_SECONDS = 5.0
_START_OF_LINE = "\r\x1b[K"
_PLAIN = logging.Formatter("%(levelname)s: %(message)s")


@contextmanager
def reporting(progress: Progress, stream: TextIO) -> Iterator[None]:
    """Report there until the end of the block, and log all that babelroom tells in the same form."""
    with _logged_by(_OverLine(stream) if stream.isatty() else _lines(stream)):
        if not stream.isatty():
            yield
            return
        drawing = asyncio.ensure_future(_draw(progress, stream))
        try:
            yield
        finally:
            drawing.cancel()
            stream.write(f"{_START_OF_LINE}{summary(progress, 0.0)}\n")


def summary(progress: Progress, rate: float) -> str:
    """The line: what was done, how fast it goes (messages/s), and why nothing happens."""
    parts = [f"{progress.translated} translated", f"{progress.failed} failed", f"{progress.in_flight} in flight"]
    parts += [f"{rate:.1f}/s"] if rate else []
    parts += [f"waiting: {progress.waiting}"] if progress.waiting else []
    return ", ".join(parts)


class Rate:
    """Messages a second, over the last 5 seconds."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def of(self, translated: int, now: float) -> float:
        self._seen.append((now, translated))
        while now - self._seen[0][0] > _RATE_SECONDS:
            self._seen.pop(0)
        since, before = self._seen[0]
        return (translated - before) / (now - since) if now > since else 0.0


async def _draw(progress: Progress, stream: TextIO) -> None:
    rate = Rate()
    while True:
        line = summary(progress, rate.of(progress.translated, time.monotonic()))
        stream.write(_START_OF_LINE + line[: shutil.get_terminal_size().columns - 1])
        stream.flush()
        await asyncio.sleep(_REFRESH_SECONDS)


@contextmanager
def _logged_by(handler: logging.Handler) -> Iterator[None]:
    """That handler alone, in place of those of the process."""
    root, ours = logging.getLogger(), logging.getLogger("babelroom")
    before, level = root.handlers[:], ours.level
    root.handlers[:] = [handler]
    ours.setLevel(handler.level)
    try:
        yield
    finally:
        root.handlers[:] = before
        ours.setLevel(level)


def _lines(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    handler.setLevel(logging.INFO)
    return handler


class _OverLine(logging.StreamHandler[TextIO]):
    """What must be read stands in lines of its own, above the one that is written again and again."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(_PLAIN)
        self.setLevel(logging.WARNING)

    def format(self, record: logging.LogRecord) -> str:
        return _START_OF_LINE + super().format(record)
