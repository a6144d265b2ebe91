"""seq and rev: commit order is rev order, and no number is lost, whoever writes at once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from support import rows
from support.locks import blocked

COLUMNS = "id, session_id, user_id, original, original_lang, target_lang"
AGAIN = f"insert into messages ({COLUMNS}) select {COLUMNS} from messages where id = %s on conflict (id) do "
PLACES = "select seq, rev from messages where session_id = %s order by seq"
SINCE = "select * from messages_since(%s, %s, %s)"
TRANSLATE = "update messages set translation = 'Hola', status = 'processing' where id = %s returning *"


@pytest.fixture
def meeting(database):
    """The id of a session of the test's own."""
    return rows.new_session(database)["id"]


def test_each_state_has_the_next_rev(database, meeting):
    """Seq is the rev of the insert, and stays."""
    first, _ = rows.new_message(database, meeting), rows.new_message(database, meeting)
    translated = rows.one(database, TRANSLATE, first["id"])
    assert (first["seq"], first["rev"]) == (1, 1)
    assert (translated["seq"], translated["rev"]) == (1, 3)


def test_each_session_counts_for_itself(database, meeting):
    """One insert of rows of two sessions numbers each of them from 1, in the order of the rows."""
    elsewhere = rows.new_session(database)["id"]
    database.execute(
        "insert into messages (session_id, user_id, original, original_lang, target_lang)"
        " select session, gen_random_uuid(), n::text, 'en', 'es'"
        " from generate_series(1, 3) n, unnest(%s::uuid[]) session",
        [[meeting, elsewhere]],
    )
    for session in (meeting, elsewhere):
        numbered = rows.column(database, "select original from messages where session_id = %s order by rev", session)
        assert numbered == ["1", "2", "3"]
        assert rows.every(database, PLACES, session) == [{"seq": n, "rev": n} for n in (1, 2, 3)]


def test_commit_order_is_rev_order(database, other, third, meeting):
    """A second writer of the session waits for the first, and a reader never sees a rev before a lower one."""
    other.autocommit = False
    first = rows.new_message(other, meeting)
    with blocked(database, third, lambda: rows.new_message(third, meeting)) as second:
        assert rows.every(database, SINCE, meeting, 0, 10) == []
        other.commit()
    assert rows.every(database, SINCE, meeting, 0, 10) == [first, second.result()]


def test_a_writer_that_waits_past_the_end_is_refused(database, other, third, meeting):
    """The session is closed while somebody else is still writing into it."""
    other.autocommit = False
    rows.new_message(other, meeting)

    def write():
        with pytest.raises(psycopg.Error) as caught:
            rows.new_message(third, meeting)
        return caught.value.sqlstate

    with blocked(database, third, write) as answer:
        database.execute("select close_session(%s)", [meeting])
        other.commit()
    assert answer.result() == "PT410"


def test_a_resend_after_the_end_is_ignored(database, meeting):
    """What is there already is no new message."""
    message = rows.new_message(database, meeting)
    database.execute("select close_session(%s)", [meeting])
    columns = "id, session_id, user_id, original, original_lang, target_lang"
    database.execute(f"insert into messages ({columns}) select {columns} from messages where id = %s"
                     " on conflict (id) do nothing", [message["id"]])  # fmt: skip
    assert rows.every(database, SINCE, meeting, 0, 10) == [message]


def test_an_update_waits_for_the_writer_before_it(database, other, third, meeting):
    """Also a state of an older message comes after what was written first."""
    older = rows.new_message(database, meeting)
    other.autocommit = False
    first = rows.new_message(other, meeting)
    with blocked(database, third, lambda: rows.one(third, TRANSLATE, older["id"])) as second:
        other.commit()
    assert [row["id"] for row in rows.every(database, SINCE, meeting, older["rev"], 10)] == [first["id"], older["id"]]
    assert second.result()["rev"] == first["rev"] + 1


def test_a_writer_that_is_undone_burns_no_rev(database, other, third, meeting):
    """Whoever waited for it gets the number."""
    other.autocommit = False
    rows.new_message(other, meeting)
    with blocked(database, third, lambda: rows.new_message(third, meeting)) as second:
        other.rollback()
    assert (second.result()["seq"], second.result()["rev"]) == (1, 1)


def test_writers_of_different_sessions_do_not_wait(database, other, meeting):
    """The counter is the session's."""
    other.autocommit = False
    rows.new_message(other, meeting)
    database.execute("set lock_timeout = '200ms'")
    assert rows.new_message(database, rows.new_session(database)["id"])["rev"] == 1


def test_a_reader_misses_nothing_and_never_goes_back(database, other, third, meeting):
    """Beside two writers it sees each rev rise, and at the end has every message in its last state."""
    states = {}

    def write(connection):
        for _ in range(60):
            message = rows.new_message(connection, meeting)["id"]
            connection.execute(TRANSLATE, [message])

    def read():
        seen = max((row["rev"] for row in states.values()), default=0)
        for row in rows.every(database, SINCE, meeting, seen, 7):
            assert row["rev"] > seen
            seen = row["rev"]
            states[row["id"]] = row
        return seen

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write, connection) for connection in (other, third)]
        while not all(writer.done() for writer in writing):
            read()
    assert [writer.result() for writer in writing] == [None, None]
    for _ in range(18):  # pages, if it had read nothing yet
        read()
    table = rows.every(database, "select * from messages where session_id = %s", meeting)
    assert states == {row["id"]: row for row in table}


def test_a_page_of_states_is_bounded(database, meeting):
    """By the limit, and by 1,000 in any case; the last rev is where to go on."""
    database.execute(
        "insert into messages (session_id, user_id, original, original_lang, target_lang)"
        " select %s, gen_random_uuid(), 'Hi', 'en', 'es' from generate_series(1, 1001)",
        [meeting],
    )
    revs = "select rev from messages_since(%s, %s, %s)"
    assert rows.column(database, revs, meeting, 4, 2) == [5, 6]
    assert rows.column(database, revs, meeting, 0, 5000) == [*range(1, 1001)]
    assert rows.column(database, revs, meeting, 1000, 5000) == [1001]


def test_a_conflicting_insert_burns_no_rev(database, meeting):
    """ignore-duplicates changes nothing; merge-duplicates is an update and takes the next rev."""
    first = rows.new_message(database, meeting)
    database.execute(f"{AGAIN} nothing", [first["id"]])
    assert rows.new_message(database, meeting)["rev"] == 2
    database.execute(f"{AGAIN} update set translation = 'Hola'", [first["id"]])
    assert rows.every(database, PLACES, meeting) == [{"seq": 1, "rev": 3}, {"seq": 2, "rev": 2}]


def test_an_insert_that_is_refused_burns_no_rev(database, meeting):
    """The same id again, without a word about conflicts, is an error that leaves nothing."""
    first = rows.new_message(database, meeting)
    with pytest.raises(psycopg.errors.UniqueViolation):
        rows.new_message(database, meeting, id=first["id"])
    assert rows.new_message(database, meeting)["rev"] == 2


@pytest.mark.parametrize(
    ("conflict", "places"),
    [("nothing", [(1, 1), (2, 2)]), ("update set original = excluded.original", [(1, 2), (3, 3)])],
    ids=["ignored", "merged"],
)
def test_a_duplicate_at_once_burns_no_rev(database, other, third, meeting, conflict, places):
    """The second insert of an id waits for the first, then finds it."""
    values = [uuid4(), meeting, uuid4()]
    insert = f"insert into messages ({COLUMNS}) values (%s, %s, %s, 'Hi', 'en', 'es') on conflict (id) do {conflict}"
    other.autocommit = False
    other.execute(insert, values)
    with blocked(database, third, lambda: third.execute(insert, values)):
        other.commit()
    rows.new_message(database, meeting)
    assert [tuple(place.values()) for place in rows.every(database, PLACES, meeting)] == places
