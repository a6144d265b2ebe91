"""The verdict: silence if all is well, one sentence for each thing that was missing."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from babelroom import Message, MessageStatus
from babelroom.demo.conversation import Line
from babelroom.demo.verdict import Said, faults

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HELLO, HOLA = Line(1, "en", "Hello"), Line(2, "es", "Hola")
ONE, TWO = UUID(int=1), UUID(int=2)
SAID = [Said(HELLO, 1, ONE, "Hola"), Said(HOLA, 0, TWO, "Hello")]


def state(message_id, rev, status, *, seq=None, translation=None, original="Hello"):
    return Message(
        id=message_id, session_id=UUID(int=9), user_id=UUID(int=8), original=original, translation=translation,
        original_lang="en", target_lang="es", status=status, queued_at=NOW, processed_at=None, displayed_at=None,
        error=None, performance_metrics=None, timestamp=NOW, created_at=NOW, seq=seq or message_id.int, rev=rev,
    )  # fmt: skip


QUEUED, READY, DISPLAYED = MessageStatus.QUEUED, MessageStatus.PROCESSING, MessageStatus.DISPLAYED
FIRST = [
    state(ONE, 1, QUEUED),
    state(ONE, 2, READY, translation="Hola"),
    state(ONE, 3, DISPLAYED, translation="Hola"),
]
SECOND = [
    state(TWO, 4, QUEUED, seq=4, original="Hola"),
    state(TWO, 5, READY, seq=4, translation="Hello", original="Hola"),
    state(TWO, 6, DISPLAYED, seq=4, translation="Hello", original="Hola"),
]
SEEN = [FIRST + SECOND, FIRST + SECOND]
ROWS = [FIRST[2], SECOND[2]]


def judge(*, lines=(HELLO, HOLA), said=SAID, seen=SEEN, rows=ROWS):
    return faults(lines, said, seen, rows)


def test_a_conversation_that_arrived_has_no_faults():
    """Each message once, in order, translated, displayed."""
    assert judge() == []


def test_a_missing_queued_state_is_no_fault():
    """After a gap the stream gives the latest state alone."""
    assert judge(seen=[SEEN[0][1:], SEEN[1][1:]]) == []


def test_lines_that_were_not_said_are_counted():
    """The conversation broke off."""
    assert judge(said=SAID[:1], rows=ROWS[:1]) == ["1 of 2 lines were not said."]


def test_untranslated_messages_are_counted_with_their_lines():
    """They arrived, but the promise is a translation."""
    marked = [Said(HELLO, 1, ONE, "Hola", is_marked=True), SAID[1]]
    (sentence,) = judge(said=marked)
    assert sentence.startswith("1 of 2 messages could not be translated (lines of the input: 1)")


def test_a_message_that_never_came_is_named():
    """What counts is the listener's callback, not the speaker's."""
    assert judge(seen=[SEEN[0], SECOND]) == ["Message 1 never reached the other side translated."]


def test_a_message_that_came_twice_is_named():
    """Once means once."""
    again = state(ONE, 7, READY, translation="Hola")
    assert judge(seen=[SEEN[0], [*SEEN[1], again]]) == ["Message 1 reached the other side 2 times."]


def test_a_repeated_state_is_named():
    """A rev is delivered at most once to a side."""
    assert judge(seen=[[*SEEN[0], FIRST[0]], SEEN[1]]) == [
        "State 1 of the conversation was delivered 2 times to one side."
    ]


def test_another_text_than_was_said_is_named():
    """What arrives is what was sent."""
    wrong = [FIRST[0], state(ONE, 2, READY, translation="Adiós"), *FIRST[2:], *SECOND]
    assert judge(seen=[SEEN[0], wrong]) == ["Message 1 reached the other side with another text than was said."]


@pytest.mark.parametrize("status", [QUEUED, READY, MessageStatus.FAILED])
def test_a_message_that_did_not_end_displayed_is_named(status):
    """The stored row decides."""
    rows = [state(ONE, 3, status, translation="Hola"), ROWS[1]]
    assert judge(rows=rows) == [f"Message 1 ended {status.value}, not displayed."]


def test_a_row_that_is_not_there_is_named():
    """Delivered is not enough."""
    assert judge(rows=ROWS[1:]) == ["Message 1 is not stored."]


def test_a_row_with_another_text_is_named():
    """The callbacks and the rows must tell the same."""
    rows = [state(ONE, 3, DISPLAYED, translation="Adiós"), ROWS[1]]
    assert judge(rows=rows) == ["Message 1 is stored with another text than was said."]


def test_arriving_out_of_order_is_named():
    """One side heard the second sentence first."""
    said = [Said(HELLO, 1, ONE, "Hola"), Said(HOLA, 1, TWO, "Hello")]
    assert judge(said=said, seen=[[], [*SECOND, *FIRST]]) == [
        "Messages reached one side in another order than they were said in."
    ]


def test_a_seq_out_of_order_is_named():
    """Seq is the place in the conversation."""
    rows = [state(ONE, 3, DISPLAYED, seq=9, translation="Hola"), ROWS[1]]
    assert judge(rows=rows) == ["The order of the stored messages (seq) is not the order they were said in."]


def test_a_stranger_in_the_session_is_named():
    """Nobody else was told the code."""
    rows = [*ROWS, state(UUID(int=7), 8, DISPLAYED, translation="?")]
    assert judge(rows=rows) == ["The session holds 1 messages that nobody said."]
