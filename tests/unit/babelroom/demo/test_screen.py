"""The plain screen."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from babelroom import ActivityType, Hop, Message, MessageStatus, Partial
from babelroom.demo.screen import PlainScreen, printable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def message(status, rev, translation=None):
    return Message(
        id=UUID(int=1), session_id=UUID(int=9), user_id=UUID(int=8), original="Hello", translation=translation,
        original_lang="en", target_lang="es", status=status, queued_at=NOW, processed_at=None, displayed_at=None,
        error=None, performance_metrics=None, timestamp=NOW, created_at=NOW, seq=1, rev=rev,
    )  # fmt: skip


@pytest.fixture
def written():
    return []


@pytest.fixture
def screen(written):
    return PlainScreen(written.append, ("en", "es"))


def test_a_message_is_said_read_and_displayed(screen, written):
    """Original, translation and status, each on the side that sees it."""
    for status, rev, translation in [("queued", 1, None), ("processing", 2, "Hola"), ("displayed", 3, "Hola")]:
        for side in (0, 1):
            screen.show_message(side, message(MessageStatus(status), rev, translation), is_own=side == 0)
    assert written == ["en | #1 says:  Hello (queued)\n", "es | #1 reads: Hola\n", "en | #1 has been displayed\n"]


def test_a_state_that_comes_twice_is_shown_once(screen, written):
    """From the answer to sending it, and live."""
    for _ in range(2):
        screen.show_message(0, message(MessageStatus.QUEUED, 1), is_own=True)
    assert len(written) == 1


def test_activity_is_shown_when_it_changes(screen, written):
    """Being idle is the absence of news."""
    for activity in (ActivityType.TYPING, ActivityType.TYPING, ActivityType.PROCESSING, ActivityType.IDLE):
        screen.show_activity(1, activity)
    assert written == ["es | sees that en is typing\n", "es | sees that en is translating\n"]


def test_the_times_are_a_table(screen, written):
    """In milliseconds, in the order of a message's way."""
    hop = Hop(messages=1, p50=1.25, p95=2, max=3)
    screen.show_times({"total": hop, "translate": hop})
    assert [line.split() for line in written] == [
        ["ms", "p50", "p95", "max"], ["translate", "1.2", "2.0", "3.0"], ["total", "1.2", "2.0", "3.0"],
    ]  # fmt: skip


def test_a_partial_is_a_line_of_its_message(screen, written):
    """On the side that reads it, under the number of its message."""
    screen.show_message(0, message(MessageStatus.QUEUED, 1), is_own=True)
    screen.show_partial(
        1, Partial(message_id=UUID(int=1), user_id=UUID(int=8), number=1, text="Hol", source="en", target="es")
    )
    assert written[-1] == "es | #1 grows: Hol\n"


def test_what_a_terminal_would_obey_is_shown_as_a_picture():
    """A text from the other side cannot clear the screen."""
    assert printable("a\x1b[2Jb\x07\x9bc\nd") == "a␛[2Jb␇�c ⏎ d"
