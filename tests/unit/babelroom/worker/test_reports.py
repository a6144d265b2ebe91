"""The progress line, and what stands above it."""

import asyncio
import io
import json
import logging

import pytest

from babelroom.worker.progress import Progress
from babelroom.worker.reports import Rate, reporting, summary


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("progress", "rate", "line"),
    [
        (Progress(), 0.0, "0 translated, 0 failed, 0 in flight"),
        (Progress(translated=7, failed=1, in_flight=3), 12.34, "7 translated, 1 failed, 3 in flight, 12.3/s"),
        (Progress(waiting="No key."), 0.0, "0 translated, 0 failed, 0 in flight, waiting: No key."),
    ],
)
def test_the_line_says_how_it_goes(progress, rate, line):
    """What was done, what is being done, how fast, and why nothing happens."""
    assert summary(progress, rate) == line


def test_the_rate_is_that_of_the_last_seconds():
    """What was done before does not count."""
    rate = Rate()
    assert rate.of(0, now=0.0) == 0
    assert rate.of(10, now=1.0) == 10
    assert rate.of(10, now=5.0) == 2
    assert rate.of(10, now=20.0) == 0


async def test_a_terminal_has_one_line():
    """It is written over, and ends with the last count; what must be read stands above it."""
    progress, terminal = Progress(), Terminal()
    with reporting(progress, terminal):
        await asyncio.sleep(0)
        progress.translated = 5
        logging.getLogger("babelroom.worker").warning("supabase_away")
        logging.getLogger("babelroom.worker").info("translated")
    assert terminal.getvalue().split("\r\x1b[K") == [
        "",
        "0 translated, 0 failed, 0 in flight",
        "WARNING: supabase_away\n",
        "5 translated, 0 failed, 0 in flight\n",
    ]


async def test_anywhere_else_each_event_is_a_line():
    """And the loggers are as before at the end."""
    before = logging.getLogger().handlers[:], logging.getLogger("babelroom").level
    stream = io.StringIO()
    with reporting(Progress(), stream):
        logging.getLogger("babelroom.worker").info("translated", extra={"event": "translated", "facts": {"ms": 7}})
    line = json.loads(stream.getvalue())
    assert (line["event"], line["ms"]) == ("translated", 7)
    assert (logging.getLogger().handlers, logging.getLogger("babelroom").level) == before
