"""Workers at once: whatever they do to one message, one of them holds it."""

import pytest
from support import queue, rows
from support.locks import blocked, together

CALLS = {"complete": queue.COMPLETE, "fail": queue.FAIL, "release": queue.RELEASE}
each_end = pytest.mark.parametrize("end", ["commit", "rollback"])
STATE = "select status, translation, error, rev from messages where id = %s"


@pytest.fixture
def first(other):
    """A connection whose statements are one open transaction."""
    other.autocommit = False
    return other


@pytest.fixture
def meeting(database):
    """The id of a session of the test's own."""
    return rows.new_session(database)["id"]


@pytest.fixture
def claimed(database, meeting):
    """The claim of its first message."""
    rows.new_message(database, meeting)
    [claimed] = queue.claim(database)
    return claimed


def new_messages(database, session, count):
    return [rows.new_message(database, session)["id"] for _ in range(count)]


def ids(claims):
    return [claimed["id"] for claimed in claims]


def test_a_second_worker_takes_other_sessions_without_waiting(database, first, third, meeting):
    """The first one's transaction is still open: what came meanwhile elsewhere is taken, oldest first."""
    new_messages(database, meeting, 3)
    queue.claim(first, limit=2)
    later = new_messages(database, rows.new_session(database)["id"], 3)
    third.execute("set lock_timeout = '200ms'")
    assert ids(queue.claim(third, limit=2)) == later[:2]


def test_a_second_worker_waits_for_the_only_session(database, first, third, meeting):
    """No answer would mean no work: it waits, and gets the rest in order."""
    messages = new_messages(database, meeting, 4)
    taken = queue.claim(first, limit=2)
    with blocked(database, third, lambda: queue.claim(third)) as rest:
        first.commit()
    assert (ids(taken), ids(rest.result())) == (messages[:2], messages[2:])


def test_a_claim_that_is_undone_leaves_all_to_the_next(database, first, third, meeting):
    """A worker that ends before its commit took nothing."""
    messages = new_messages(database, meeting, 2)
    queue.claim(first)
    with blocked(database, third, lambda: queue.claim(third)) as claims:
        first.rollback()
    assert ids(claims.result()) == messages


def test_a_writer_holds_up_only_its_own_session(database, first, third, meeting):
    """While a message is being sent in one session, others are claimed without waiting."""
    new_messages(database, meeting, 1)
    rows.new_message(first, meeting)
    elsewhere = new_messages(database, rows.new_session(database)["id"], 1)
    third.execute("set lock_timeout = '200ms'")
    assert ids(queue.claim(third)) == elsewhere


def test_a_message_that_somebody_holds_is_skipped(database, first, third, meeting):
    """Those behind it are claimed without waiting."""
    held, behind = new_messages(database, meeting, 2)
    first.execute("select from messages where id = %s for update", [held])
    third.execute("set lock_timeout = '200ms'")
    assert ids(queue.claim(third)) == [behind]


def test_workers_at_once_share_the_work(database, other, third):
    """Three workers over 120 messages of 6 sessions: each message is claimed once."""
    messages = {message for _ in range(6) for message in new_messages(database, rows.new_session(database)["id"], 20)}

    def work(connection):
        taken = []
        while batch := queue.claim(connection, limit=7):
            taken += ids(batch)
        return taken

    taken = [
        message for batch in together(*(lambda c=c: work(c) for c in (database, other, third))) for message in batch
    ]
    assert len(taken) == len(messages)
    assert set(taken) == messages


def test_two_who_claim_in_order_share_no_session(database, first, third, meeting):
    """The second waits for the only session, and finds that it belongs to the first."""
    new_messages(database, meeting, 3)
    queue.claim(first, limit=1, in_order=True)
    with blocked(database, third, lambda: queue.claim(third, in_order=True)) as rest:
        first.commit()
    assert rest.result() == []


def test_a_claim_in_order_that_is_undone_leaves_its_sessions_to_the_next(database, first, third, meeting):
    """Nobody holds anything of them."""
    messages = new_messages(database, meeting, 3)
    queue.claim(first, limit=1, in_order=True)
    with blocked(database, third, lambda: queue.claim(third, in_order=True)) as rest:
        first.rollback()
    assert ids(rest.result()) == messages


def test_a_second_worker_takes_other_sessions_in_order_without_waiting(database, first, third, meeting):
    """The first one's transaction is still open."""
    new_messages(database, meeting, 3)
    queue.claim(first, in_order=True)
    elsewhere = new_messages(database, rows.new_session(database)["id"], 2)
    third.execute("set lock_timeout = '200ms'")
    assert ids(queue.claim(third, in_order=True)) == elsewhere


def test_a_session_that_is_claimed_while_another_is_waited_for_is_passed_over(database, first, third, meeting):
    """Whoever waited looks again at every session, not at the one that it waited for alone."""
    new_messages(database, meeting, 2)
    new_messages(database, rows.new_session(database)["id"], 2)
    queue.claim(first, limit=2, in_order=True)
    with blocked(database, third, lambda: queue.claim(third, in_order=True)) as rest:
        first.commit()
    assert rest.result() == []


def test_an_extension_that_races_a_claim_in_order_keeps_the_session(database, first, third, meeting):
    """Its lease had run out and is being extended: nothing behind the message is claimed either."""
    new_messages(database, meeting, 2)
    [claimed] = queue.claim(database, limit=1, in_order=True)
    queue.let_lease_run_out(database, claimed["id"])
    queue.tell(first, queue.EXTEND, claimed)
    assert queue.claim(third, in_order=True) == []


def test_workers_who_claim_in_order_never_share_a_session(database, other, third):
    """Three of them empty 6 sessions; whenever one has claimed, every session that is held has one holder."""
    messages = {message for _ in range(6) for message in new_messages(database, rows.new_session(database)["id"], 10)}
    holders = """select count(distinct worker) from private.translation_jobs j join messages m on m.id = j.message_id
                 where leased_until is not null group by session_id"""

    def work(connection):
        taken, shares = [], []
        while rows.value(connection, "select exists (select from messages where translation is null)"):
            for claimed in queue.claim(connection, limit=7, worker=str(connection.info.backend_pid), in_order=True):
                shares += rows.column(connection, holders)
                taken.append(queue.tell(connection, queue.COMPLETE, claimed)["id"])
        return taken, shares

    done = together(*(lambda c=c: work(c) for c in (database, other, third)))
    assert sorted(message for taken, _ in done for message in taken) == sorted(messages)
    assert {share for _, shares in done for share in shares} == {1}


@each_end
def test_an_extension_that_races_a_claim(database, first, third, claimed, end):
    """The lease had run out and is being extended: a claim passes over it; either way there is one holder."""
    queue.let_lease_run_out(database, claimed["id"])
    queue.tell(first, queue.EXTEND, claimed)
    assert queue.claim(third) == []
    getattr(first, end)()
    extended = end == "commit"
    assert len(queue.claim(third)) == (not extended)
    assert queue.told(database, queue.EXTEND, claimed) == ("ok" if extended else queue.STALE)


@each_end
@pytest.mark.parametrize("call", [*CALLS.values(), queue.EXTEND], ids=[*CALLS, "extend"])
def test_a_claim_that_the_old_holder_races(database, first, third, claimed, call, end):
    """The lease ran out and somebody else is claiming: the old holder waits, and is refused if it is too late."""
    queue.let_lease_run_out(database, claimed["id"])
    [new] = queue.claim(first)
    with blocked(database, third, lambda: queue.told(third, call, claimed)) as answer:
        getattr(first, end)()
    if end == "commit":
        assert answer.result() == queue.STALE
        assert queue.told(database, call, new) == "ok"
    else:
        assert answer.result() == "ok"


@each_end
def test_a_completion_that_races_a_claim(database, first, third, claimed, end):
    """The lease had run out, and the translation is being written: it is claimed again only if that is undone."""
    queue.let_lease_run_out(database, claimed["id"])
    queue.tell(first, queue.COMPLETE, claimed)
    with blocked(database, third, lambda: queue.claim(third)) as claims:
        getattr(first, end)()
    assert ids(claims.result()) == ([] if end == "commit" else [claimed["id"]])


@each_end
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_plain_update_that_the_holder_races(database, first, third, claimed, call, end):
    """A client without a queue is writing the translation: the holder waits, and is refused if that stays."""
    first.execute("update messages set translation = 'Buenas' where id = %s", [claimed["id"]])
    with blocked(database, third, lambda: queue.told(third, call, claimed)) as answer:
        getattr(first, end)()
    assert answer.result() == (queue.STALE if end == "commit" else "ok")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_plain_update_that_waited_for_the_holder(database, first, third, claimed, call):
    """It comes second, and writes its state on top."""
    queue.tell(first, call, claimed)
    update = "update messages set translation = 'Buenas', status = 'displayed' where id = %s"
    with blocked(database, third, lambda: third.execute(update, [claimed["id"]])):
        first.commit()
    assert rows.one(database, STATE, claimed["id"]) == {
        "status": "displayed",
        "translation": "Buenas",
        "error": None,
        "rev": 4,
    }


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_same_call_twice_at_once_changes_one_thing(database, first, third, claimed, call):
    """A worker gave up waiting for its answer and asks again meanwhile: it hears what the first call did."""
    answer = queue.tell(first, call, claimed)
    with blocked(database, third, lambda: queue.tell(third, call, claimed)) as again:
        first.commit()
    assert again.result() == answer


def test_different_calls_at_once_are_decided_by_the_first(database, first, third, claimed):
    """A translation that comes while the message is being given back is refused: somebody else may have it."""
    queue.tell(first, queue.RELEASE, claimed)
    with blocked(database, third, lambda: queue.told(third, queue.COMPLETE, claimed)) as answer:
        first.commit()
    assert answer.result() == queue.STALE


def test_two_retries_at_once_queue_a_message_once(database, first, third, meeting):
    """The second waits and finds nothing failed."""
    message = rows.new_message(database, meeting, status="failed")["id"]
    retry = "select id from retry_failed(%s)"
    assert rows.column(first, retry, meeting) == [message]
    with blocked(database, third, lambda: rows.column(third, retry, meeting)) as again:
        first.commit()
    assert again.result() == []
    assert rows.value(database, "select rev from messages where id = %s", message) == 2
