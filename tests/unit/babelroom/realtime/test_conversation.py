"""Conversation order: each message once, by seq, when it can be shown, or late."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from support.messages import NOW, state, translated

from babelroom.models import MessageStatus
from babelroom.realtime.conversation import Conversation

FOREVER = 10**9


def told(messages):
    return [(message.seq, message.is_late) for message in messages]


def test_a_message_comes_when_it_is_translated():
    """Not before, and once: later states of it are no news."""
    conversation = Conversation(0, late_after=10)
    conversation.take([state(1)], 0, known_to=1)
    assert conversation.hand_out(9, 0) == []
    conversation.take([translated(2, 1)], 1, known_to=2)
    assert told(conversation.hand_out(9, 1)) == [(1, False)]
    conversation.take([state(3, 1, translation="Hola", status="displayed")], 2, known_to=3)
    assert conversation.hand_out(9, 2) == []


def test_a_failed_message_comes_too():
    """Nothing better is to be expected of it."""
    conversation = Conversation(0, late_after=10)
    conversation.take([state(1, status=MessageStatus.FAILED, error="no")], 0, known_to=1)
    assert told(conversation.hand_out(9, 0)) == [(1, False)]


def test_a_claimed_message_is_not_ready():
    """`processing` without a translation means that somebody works on it."""
    conversation = Conversation(0, late_after=10)
    conversation.take([state(1, status=MessageStatus.PROCESSING)], 0, known_to=1)
    assert conversation.hand_out(9, 0) == []


def test_what_is_ready_waits_for_what_was_said_before():
    """However long its turn takes to come."""
    conversation = Conversation(0, late_after=10)
    conversation.take([state(1), translated(2)], 0, known_to=2)
    assert conversation.hand_out(9, 5) == []
    conversation.take([translated(3, 1)], 9, known_to=3)
    assert told(conversation.hand_out(9, 9)) == [(1, False), (2, False)]


def test_one_that_is_stuck_is_passed_over_and_comes_late():
    """After so many seconds; then at once, when it is ready."""
    conversation = Conversation(0, late_after=10)
    conversation.take([state(1), translated(2)], 0, known_to=2)
    assert conversation.due() == 10
    assert told(conversation.hand_out(9, 10)) == [(2, False)]
    conversation.take([translated(3, 1), translated(4)], 11, known_to=4)
    assert told(conversation.hand_out(9, 11)) == [(1, True), (4, False)]


def test_each_ones_patience_begins_when_it_is_seen():
    """Two that are stuck are passed over together, not one after the other."""
    conversation = Conversation(0, late_after=10)
    conversation.take([state(1), state(2), translated(3)], 0, known_to=3)
    assert told(conversation.hand_out(9, 10)) == [(3, False)]


def test_what_has_waited_before_we_came_is_not_waited_for_again():
    """By the database's stamps: a message of an hour ago does not hold up the replay."""
    conversation = Conversation(0, late_after=10)
    conversation.take([state(1), translated(2, created_at=NOW + timedelta(hours=1))], 0, known_to=2)
    assert told(conversation.hand_out(9, 0)) == [(2, False)]


def test_a_message_whose_predecessors_are_not_known_yet_waits():
    """Pages of the past may still bring them."""
    conversation = Conversation(0, late_after=10)
    conversation.take([translated(3)], 0, known_to=0)
    assert conversation.hand_out(9, FOREVER) == []
    conversation.take([translated(1)], 0, known_to=3)
    assert told(conversation.hand_out(9, 0)) == [(1, False), (3, False)]


def test_only_what_there_is_room_for_comes():
    """The rest is still there."""
    conversation = Conversation(0, late_after=10)
    conversation.take([translated(seq) for seq in (1, 2, 3)], 0, known_to=3)
    assert told(conversation.hand_out(2, 0)) == [(1, False), (2, False)]
    assert conversation.has_more()
    assert told(conversation.hand_out(2, 0)) == [(3, False)]
    assert not conversation.has_more()


def test_a_reader_can_go_on_behind_the_last_one_that_came():
    """While one is passed over, before that one: it would be lost otherwise."""
    conversation = Conversation(0, late_after=10)
    conversation.take([translated(1), state(2), translated(3), state(4), translated(5)], 0, known_to=5)
    assert [m.resume_after for m in conversation.hand_out(9, 10)] == [1, 1, 1]
    conversation.take([translated(6, 2)], 11, known_to=6)
    assert [m.resume_after for m in conversation.hand_out(9, 11)] == [3]
    conversation.take([translated(7, 4)], 12, known_to=7)
    assert [m.resume_after for m in conversation.hand_out(9, 12)] == [5]


@given(data=st.data())
def test_whenever_the_translations_come_each_message_comes_once(data):
    """In time by rising seq, or late; all of them at the end."""
    seqs = range(1, data.draw(st.integers(1, 12), label="messages") + 1)
    order = data.draw(st.permutations(seqs), label="order of the translations")
    states = [state(seq) for seq in seqs]
    states += [translated(len(seqs) + number, seq) for number, seq in enumerate(order, start=1)]
    conversation, came, now = Conversation(0, late_after=10), [], 0.0
    for one in states:
        conversation.take([one], now, known_to=one.rev)
        now += data.draw(st.sampled_from([0.0, 1.0, 11.0]), label="time passes")
        came += conversation.hand_out(data.draw(st.integers(0, 3), label="room"), now)
    came += conversation.hand_out(100, now)
    in_time = [message.seq for message in came if not message.is_late]
    assert in_time == sorted(in_time)
    assert sorted(message.seq for message in came) == list(seqs)
    assert all(message.translation for message in came)
    assert came[-1].resume_after == len(seqs)
