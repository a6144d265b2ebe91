"""The feed under every disorder that a lossy, repeating and reordering transport can make."""

from hypothesis import given
from hypothesis import strategies as st
from support.messages import state

from babelroom.realtime.feed import Feed


def test_the_next_event_is_delivered_as_it_is():
    """No fetch is needed while nothing is missing."""
    feed = Feed(cursor=4)
    assert feed.event(state(5)) == [state(5)]
    assert (feed.cursor, feed.is_behind) == (5, False)


def test_a_repeated_event_is_dropped():
    """Each rev is delivered at most once."""
    feed = Feed(cursor=5)
    assert feed.event(state(5)) == []
    assert not feed.is_behind


def test_a_jump_asks_for_a_fetch_and_delivers_nothing():
    """What lies between must come first."""
    feed = Feed(cursor=5)
    assert feed.event(state(8)) == []
    assert (feed.cursor, feed.is_behind) == (5, True)


def test_an_unreadable_event_asks_for_a_fetch():
    """An event that lacks a column, or carries an error, is a doorbell."""
    feed = Feed(cursor=5)
    assert feed.event(None) == []
    assert feed.is_behind


def test_a_hole_costs_one_fetch_and_never_stalls():
    """Revs of older states are absent from the table: a page may jump."""
    feed = Feed(cursor=5)
    feed.event(state(9))
    assert feed.start_fetch() == 5
    assert feed.page([state(7), state(9)], is_last=True) == [state(7), state(9)]
    assert (feed.cursor, feed.is_behind) == (9, False)


def test_what_rings_during_a_fetch_asks_for_another():
    """A change that is committed after the fetch has read must not be lost."""
    feed = Feed(cursor=5)
    feed.ring()
    feed.start_fetch()
    feed.event(state(8))
    feed.page([state(6)], is_last=True)
    assert feed.is_behind


def test_a_full_page_asks_for_the_next_one():
    """All pages are fetched."""
    feed = Feed(cursor=0)
    feed.ring()
    feed.start_fetch()
    assert feed.page([state(1), state(2)], is_last=False) == [state(1), state(2)]
    assert feed.is_behind
    assert feed.start_fetch() == 2


@given(data=st.data())
def test_whatever_the_transport_does_the_latest_state_of_every_message_arrives(data):
    """Events are dropped, repeated, reordered and made unreadable, fetches fail, pages are small."""
    writes = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=30), label="which message each rev writes")
    page_size = data.draw(st.integers(1, 4), label="page size")
    feed, table, delivered = Feed(cursor=0), {}, []
    in_flight: list[int] = []

    def fetch() -> None:
        cursor = feed.start_fetch()
        if data.draw(st.booleans(), label="fetch fails"):
            feed.ring()
            return
        rows = sorted((s for s in table.values() if s.rev > cursor), key=lambda s: s.rev)[:page_size]
        delivered.extend(feed.page(rows, is_last=len(rows) < page_size))

    states = {}
    for rev, message in enumerate(writes, start=1):
        states[rev] = table[message] = state(rev, seq=message)
        in_flight += [rev] * data.draw(st.integers(0, 2), label="copies of the event")
        while in_flight and data.draw(st.booleans(), label="deliver one"):
            rev_seen = in_flight.pop(data.draw(st.integers(0, len(in_flight) - 1), label="which"))
            readable = data.draw(st.booleans(), label="readable")
            delivered.extend(feed.event(states[rev_seen] if readable else None))
        if feed.is_behind and data.draw(st.booleans(), label="fetch now"):
            fetch()

    feed.ring()
    while feed.is_behind:
        cursor = feed.start_fetch()
        rows = sorted((s for s in table.values() if s.rev > cursor), key=lambda s: s.rev)[:page_size]
        delivered.extend(feed.page(rows, is_last=len(rows) < page_size))

    revs = [message.rev for message in delivered]
    assert revs == sorted(set(revs))
    assert {message.id: message for message in delivered} == {message.id: message for message in table.values()}
