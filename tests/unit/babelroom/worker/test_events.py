"""What a worker logs: which event, of which message, and never what was said."""

import json
import logging
from datetime import UTC, datetime
from uuid import UUID

import pytest

from babelroom import Claim, TranslationFailed
from babelroom.worker.events import JsonLines, tell, without_words

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIM = Claim(
    id=UUID(int=1), session_id=UUID(int=2), user_id=UUID(int=3), original="My secret", original_lang="en",
    target_lang="es", seq=1, token=UUID(int=4), leased_until=NOW, attempt=2, queued_at=NOW,
)  # fmt: skip


@pytest.fixture
def lines(caplog):
    """The lines that came so far, parsed."""
    caplog.set_level(logging.INFO, "babelroom.worker")
    return lambda: [json.loads(JsonLines().format(record)) for record in caplog.records]


def test_an_event_is_one_object(lines):
    """Time, level, event, and the message that it is about."""
    tell("translated", CLAIM, ms=7)
    [line] = lines()
    assert datetime.fromisoformat(line.pop("time")).tzinfo == UTC
    assert line == {
        "level": "info",
        "event": "translated",
        "message_id": str(CLAIM.id),
        "session_id": str(CLAIM.session_id),
        "attempt": 2,
        "ms": 7,
    }


def test_what_is_said_is_no_fact(lines):
    """Not even where an error quotes it."""
    error = TranslationFailed("No words for 'My secret'.")
    tell("failed", CLAIM, level=logging.WARNING, error=without_words(error, CLAIM))
    [line] = lines()
    assert (line["level"], line["error"]) == ("warning", "TranslationFailed: No words for '...'.")


def test_anything_else_that_is_logged_is_an_object_too(lines):
    """On one line, whatever it says."""
    logging.getLogger("babelroom.worker").warning("Two\nlines: %s", "é")
    [line] = lines()
    assert line["event"] == "log"
    assert (line["logger"], line["message"]) == ("babelroom.worker", "Two\nlines: é")


def test_a_traceback_is_a_part_of_its_line(lines):
    """So that a program can read it."""
    try:
        {}["x"]
    except KeyError:
        logging.getLogger("babelroom.worker").exception("Broken")
    assert "KeyError: 'x'" in lines()[0]["traceback"]
