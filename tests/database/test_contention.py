"""Everybody at once, for many rounds: nothing deadlocks, and what is counted is right at the end."""

from functools import partial
from random import Random
from uuid import uuid4

import psycopg
import pytest
from support import queue, rows
from support.locks import together

ROUNDS = 40
STALE_TOO = {"ok", queue.STALE}
COUNTED = """
select s.user_count, count(p) filter (where p.left_at is null and not p.is_away) as present
from sessions s left join session_participants p on p.session_id = s.id
where s.id = any(%s) group by s.id
"""
SEND_FIVE = """
select send_messages(%(id)s, (
  select jsonb_agg(jsonb_build_object(
    'id', gen_random_uuid(), 'user_id', %(user)s::uuid, 'original', 'Hi', 'original_lang', 'en', 'target_lang', 'es'
  )) from generate_series(1, 5)
))
"""


@pytest.fixture
def meetings(database):
    """Three sessions of the test's own."""
    return [rows.new_session(database) for _ in range(3)]


def ended(connection, statement, values):
    """How the statement ended: ok, or its SQLSTATE."""
    try:
        connection.execute(statement, values)
    except psycopg.Error as error:
        return error.sqlstate
    return "ok"


def repeat(connection, statements, choices, seed):
    """Run one of the statements, with values chosen at random, again and again; all the ways they ended."""
    random = Random(seed)  # noqa: S311  which statement comes next is no secret
    return {
        ended(connection, random.choice(statements), {name: random.choice(among) for name, among in choices.items()})
        for _ in range(ROUNDS)
    }


def test_joins_touches_leaves_and_the_sweep(connect, database, unnoticed, meetings):
    """Whoever comes, goes, falls silent and comes back while others tidy: user_count is who is present."""
    users = [uuid4() for _ in range(4)]
    choices = {"id": [m["id"] for m in meetings], "code": [m["code"] for m in meetings], "user": users}
    people = [
        "select join_session(%(code)s, %(user)s, 'en')",
        "select touch_participant(%(id)s, %(user)s)",
        "select leave_session(%(id)s, %(user)s)",
    ]
    silence = (
        "update session_participants set last_seen = now() - interval '3 minutes'"
        " where session_id = %(id)s and user_id = %(user)s and left_at is null"
    )
    calls = [
        partial(repeat, unnoticed, [silence], choices, "silence"),
        partial(repeat, connect(), ["select cleanup_participants()"], {}, "sweep"),
        *(partial(repeat, connect(), people, choices, number) for number in range(4)),
    ]
    assert together(*calls) == [{"ok"}] * 6
    counted = rows.every(database, COUNTED, choices["id"])
    assert [row["user_count"] for row in counted] == [row["present"] for row in counted]


def test_joins_at_once_count_everybody(connect, database, meetings):
    """Five connections with eight people each, and each of them twice."""

    def join(connection):
        for user in [uuid4() for _ in range(8)] * 2:
            connection.execute("select join_session(%s, %s, 'en')", [meetings[0]["code"], user])

    together(*(partial(join, connect()) for _ in range(5)))
    assert rows.value(database, "select user_count from sessions where id = %s", meetings[0]["id"]) == 40


@pytest.mark.parametrize("call", [queue.COMPLETE, queue.FAIL, queue.RELEASE], ids=["complete", "fail", "release"])
def test_a_worker_and_a_plain_update_of_one_message(database, other, third, meetings, call, change_settings):
    """Each message ends where the later of the two left it, and no state is lost."""
    change_settings(max_failures=1000)
    update = "update messages set translation = 'Buenas', status = 'processing' where id = %(id)s"
    for _ in range(ROUNDS):
        message = rows.new_message(database, meetings[0]["id"])
        [claimed] = queue.claim(database)
        worker, client = together(
            partial(queue.told, other, call, claimed), partial(ended, third, update, {"id": message["id"]})
        )
        assert (worker in STALE_TOO, client) == (True, "ok")
        after = rows.one(database, "select * from messages where id = %s", message["id"])
        assert after["translation"] == "Buenas" or (call, worker) == (queue.COMPLETE, "ok")
        assert after["rev"] == message["rev"] + 2 + (worker == "ok")


def test_claims_and_bulk_inserts(connect, database, meetings):
    """Workers claim while a client inserts many rows of all sessions in any order: each is claimed once."""
    insert = (
        "insert into messages (session_id, user_id, original, original_lang, target_lang)"
        " select session, gen_random_uuid(), 'Hi', 'en', 'es' from unnest(%(ids)s::uuid[]) session,"
        " generate_series(1, 2) order by random()"
    )
    written = ROUNDS * len(meetings) * 2
    ids = [[meeting["id"] for meeting in meetings]]

    def work(connection):
        taken = []
        for _ in range(ROUNDS):
            taken += [claimed["id"] for claimed in queue.claim(connection, limit=4)]
        return taken

    ways, *taken = together(
        partial(repeat, connect(), [insert], {"ids": ids}, "insert"), *(partial(work, connect()) for _ in range(2))
    )
    assert ways == {"ok"}
    while rest := queue.claim(database, limit=100):
        taken.append([claimed["id"] for claimed in rest])
    claimed = [message for batch in taken for message in batch]
    assert len(claimed) == len(set(claimed)) == written


def test_workers_that_lose_and_extend_their_leases(connect, database, meetings):
    """Leases run out at once: four workers complete, fail, release and extend; each message is translated once."""
    for meeting in meetings:
        for _ in range(8):
            rows.new_message(database, meeting["id"])

    def work(seed):
        random, connection, done = Random(seed), connect(), []  # noqa: S311  chooses calls, no secrets
        while batch := rows.every(connection, "select * from claim_messages(%s, 3, '1 ms')", str(seed)):
            for claimed in batch:
                call = random.choice([queue.COMPLETE, queue.COMPLETE, queue.RELEASE, queue.EXTEND])
                heard = queue.told(connection, call, claimed)
                assert heard in STALE_TOO
                if (call, heard) == (queue.COMPLETE, "ok"):
                    done.append(claimed["id"])
        return done

    done = [message for messages in together(*(partial(work, seed) for seed in range(4))) for message in messages]
    ours = "select id, translation from messages where session_id = any(%s)"
    table = rows.every(database, ours, [meeting["id"] for meeting in meetings])
    open_still = {row["id"] for row in table if row["translation"] is None}
    assert len(done) == len(set(done))
    assert set(done) | open_still == {row["id"] for row in table}


def test_activity_and_its_clean_up(connect, unnoticed, meetings):
    """Keystrokes, idling and rows that grow old, while two jobs tidy."""
    choices = {"id": [m["id"] for m in meetings], "user": [uuid4() for _ in range(3)], "kind": ["typing", "idle"]}
    upsert = (
        "insert into user_activity (session_id, user_id, activity_type) values (%(id)s, %(user)s, %(kind)s)"
        " on conflict (session_id, user_id) do update set activity_type = excluded.activity_type"
    )
    age = "update user_activity set updated_at = now() - interval '2 hours' where session_id = %(id)s"
    tidy = ["select cleanup_activity()"]
    calls = [
        partial(repeat, unnoticed, [age], choices, "age"),
        *(partial(repeat, connect(), tidy, {}, number) for number in range(2)),
        *(partial(repeat, connect(), [upsert], choices, number) for number in range(4)),
    ]
    assert together(*calls) == [{"ok"}] * 7


def test_the_end_of_sessions_and_those_who_still_write(connect, database, change_settings):
    """Sessions are closed and deleted under their writers, who hear that it is over, and nothing else."""
    change_settings(session_retention="0")
    sessions = [rows.new_session(database) for _ in range(ROUNDS)]
    user = uuid4()
    writes = (
        "select join_session(%(code)s, %(user)s, 'en')",
        "select send_message(gen_random_uuid(), %(id)s, %(user)s, 'Hi', 'en', 'es')",
        SEND_FIVE,
        "insert into user_activity (session_id, user_id, activity_type) values (%(id)s, %(user)s, 'typing')",
        "select touch_participant(%(id)s, %(user)s)",
        "select leave_session(%(id)s, %(user)s)",
        "select extend_session(%(id)s, '1 hour')",
        "update messages set status = 'displayed' where session_id = %(id)s",
    )

    def write(connection):
        return {ended(connection, write, session | {"user": user}) for session in sessions for write in writes}

    def close(connection):
        return {ended(connection, "select close_session(%(id)s)", session) for session in sessions}

    def delete(connection):
        return {ended(connection, "select delete_closed_sessions(7)", None) for _ in sessions}

    writers = together(
        *(partial(write, connect()) for _ in range(2)), partial(close, connect()), partial(delete, connect())
    )
    # 23503: deleted between the check and the end of the statement. 23505: the other's activity.
    over = {"ok", "PT404", "PT410", "23503", "23505"}
    assert [ways - over for ways in writers[:2]] == [set(), set()]
    assert writers[2:] == [{"ok"}, {"ok"}]
