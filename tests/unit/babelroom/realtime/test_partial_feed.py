"""The feed of partials under whatever a transport, two translators or a stranger send."""

from itertools import pairwise
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from babelroom.realtime.partial_feed import PartialFeed
from babelroom.results import Partial

MESSAGE, USER = uuid4(), uuid4()


def partial(number, text, message_id=MESSAGE):
    return Partial(message_id=message_id, user_id=USER, number=number, text=text, source="en", target="es")


def told(feed, *partials):
    """What a quick reader gets, as number and text."""
    out = []
    for each in partials:
        feed.take(each)
        out += feed.hand_out(1)
    return [(each.number, each.text) for each in out]


def test_a_growing_text_is_told_as_it_grows():
    """Each partial, once."""
    assert told(PartialFeed(), partial(1, "Ho"), partial(2, "Hola"), partial(5, "Hola, ")) == [
        (1, "Ho"), (2, "Hola"), (5, "Hola, "),
    ]  # fmt: skip


def test_one_that_comes_again_or_late_is_dropped():
    """Numbers rise."""
    first, second, third = partial(1, "Ho"), partial(2, "Hola"), partial(3, "Hola,")
    assert told(PartialFeed(), first, third, third, second, first) == [(1, "Ho"), (3, "Hola,")]


def test_the_first_of_two_texts_stays():
    """A second translator's, which begins otherwise, is dropped, and its numbers hold nothing up."""
    mine = [partial(1, "Ho"), partial(2, "Hola")]
    others = [partial(1, "Buenas"), partial(9, "Buenas tardes")]
    assert told(PartialFeed(), mine[0], *others, mine[1]) == [(1, "Ho"), (2, "Hola")]


def test_messages_are_apart():
    """Each has numbers of its own."""
    other = uuid4()
    assert told(PartialFeed(), partial(7, "Ho"), partial(1, "Bu", other), partial(2, "Bue", other)) == [
        (7, "Ho"), (1, "Bu"), (2, "Bue"),
    ]  # fmt: skip


def test_a_slow_reader_gets_the_latest_of_each_message():
    """The one that has waited longest comes first."""
    feed, other = PartialFeed(), uuid4()
    for each in (partial(1, "H"), partial(1, "B", other), partial(2, "Ho"), partial(3, "Hola")):
        feed.take(each)
    assert feed.hand_out(0) == []
    assert feed.hand_out(5) == [partial(3, "Hola"), partial(1, "B", other)]
    assert feed.hand_out(5) == []


def test_messages_that_grew_long_ago_are_forgotten():
    """And with them what was not handed out."""
    feed = PartialFeed(messages=2)
    ids = [UUID(int=number) for number in range(4)]
    for message_id in (ids[0], ids[1], ids[0], ids[2], ids[3]):
        feed.take(partial(1 if message_id != ids[0] else feed.held + 1, "x", message_id))
    assert feed.held == 2
    assert [each.message_id for each in feed.hand_out(5)] == [ids[2], ids[3]]


@st.composite
def sent(draw):
    """Partials of some messages by one or two translators each, dropped, repeated and in any order."""
    partials = []
    for number in range(draw(st.integers(1, 3))):
        for attempt in range(draw(st.integers(1, 2))):
            deltas = draw(st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=6))
            text = "" if draw(st.booleans()) else f"{attempt}"
            for count, delta in enumerate(deltas, 1):
                text += delta
                partials.append(partial(count, text, UUID(int=number)))
    return draw(st.lists(st.sampled_from(partials), max_size=40))


@given(partials=sent(), rooms=st.lists(st.integers(0, 3), min_size=40, max_size=40), messages=st.integers(3, 5))
def test_numbers_rise_and_texts_only_grow(partials, rooms, messages):
    """Of each message, however little the reader takes; what is told was sent."""
    feed, out = PartialFeed(messages), []
    for each, room in zip(partials, rooms, strict=False):
        feed.take(each)
        out += feed.hand_out(room)
    out += feed.hand_out(9)
    assert set(map(repr, out)) <= set(map(repr, partials))
    for message_id in {each.message_id for each in partials}:
        mine = [each for each in out if each.message_id == message_id]
        assert mine
        assert all(
            one.number < next_one.number and next_one.text.startswith(one.text) for one, next_one in pairwise(mine)
        )


@given(partials=sent(), messages=st.integers(1, 3))
def test_no_more_is_held_than_was_allowed(partials, messages):
    """A stranger can name any number of messages."""
    feed = PartialFeed(messages)
    for each in partials:
        feed.take(each)
        assert feed.held <= messages
    assert len(feed.hand_out(99)) <= messages


@given(texts=st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=10))
def test_nothing_is_lost_of_what_comes_in_order(texts):
    """One translator, a quick reader and a sound connection."""
    growing = ["".join(texts[: count + 1]) for count in range(len(texts))]
    assert told(PartialFeed(), *(partial(number, text) for number, text in enumerate(growing, 1))) == list(
        enumerate(growing, 1)
    )
