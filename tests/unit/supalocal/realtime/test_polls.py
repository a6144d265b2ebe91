"""Which changes make one poll."""

from supalocal.realtime.pgoutput import Action, Begin, Relation, RowChange
from supalocal.realtime.polls import POLL_ROWS, SPLIT_BYTES, SPLIT_ROWS, Backlog, LoggedChange

TABLE = Relation(1, "public", "t", has_full_identity=False, columns=())


def backlog(*transactions, size=1, whole=True):
    """A backlog of transactions with that many rows; of the last not all, unless it is whole."""
    waiting = Backlog()
    for number, rows in enumerate(transactions):
        begin = Begin(0, number)
        for _ in range(rows):
            waiting.add(LoggedChange(TABLE, RowChange(Action.INSERT, 1), begin, size))
        if whole or number < len(transactions) - 1:
            waiting.commit()
    return waiting


def polls(waiting):
    """The sizes of the polls until there is none to be made."""
    while waiting.is_ready:
        yield len(waiting.take())


def test_a_poll_ends_with_the_transaction_that_fills_it():
    """A transaction is never parted, so a poll may hold more than its number of rows."""
    assert list(polls(backlog(60, 60, 60))) == [120, 60]


def test_small_transactions_share_a_poll():
    """Up to its number of rows."""
    assert list(polls(backlog(*[1] * (POLL_ROWS + 1)))) == [POLL_ROWS, 1]


def test_a_transaction_that_is_still_arriving_waits():
    """Only what is whole is taken."""
    waiting = backlog(2, 3, whole=False)
    assert list(polls(waiting)) == [2]
    waiting.commit()
    assert list(polls(waiting)) == [3]


def test_a_huge_transaction_is_split():
    """By rows or by bytes, before it has arrived whole: memory is bounded."""
    assert list(polls(backlog(SPLIT_ROWS + 1, whole=False))) == [SPLIT_ROWS]
    assert list(polls(backlog(3, size=SPLIT_BYTES, whole=False))) == [1, 1, 1]


def test_what_is_cleared_is_counted_no_more():
    """Neither rows nor bytes."""
    waiting = backlog(3)
    waiting.clear()
    assert (waiting.is_ready, waiting.bytes) == (False, 0)
