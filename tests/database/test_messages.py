"""Messages: sent once, moved on legally, and what of them is the database's, whichever way they are written."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from support import rows
from support.locks import blocked

PLACES = "select seq, rev from messages where session_id = %s order by seq"
SINCE = "select * from messages_since(%s, 0, 10)"
SEND = "select * from send_message(%s, %s, %s, %s, 'en', 'es')"
TRANSLATE = "update messages set translation = 'Hola', status = 'processing' where id = %s returning *"


@pytest.fixture
def meeting(database):
    """The id of a session of the test's own."""
    return rows.new_session(database)["id"]


def test_a_resend_at_once_returns_the_first_row(database, other, third, meeting):
    """The second send_message of an id waits for the first; the message is there once."""
    values = [uuid4(), meeting, uuid4(), "Hi"]
    other.autocommit = False
    first = rows.one(other, SEND, *values)
    with blocked(database, third, lambda: rows.one(third, SEND, *values)) as second:
        other.commit()
    assert second.result() == first
    assert rows.every(database, PLACES, meeting) == [{"seq": 1, "rev": 1}]


def test_a_different_message_with_the_same_id_at_once_is_refused(database, other, third, meeting):
    """The first keeps the id."""
    message, user = uuid4(), uuid4()
    other.autocommit = False
    first = rows.one(other, SEND, message, meeting, user, "Hi")
    with blocked(database, third, lambda: rows.refusal(third, SEND, message, meeting, user, "Ho")) as said:
        other.commit()
    assert (said.result().sqlstate, said.result().message_primary) == (
        "PT409",
        "A different message with this id exists already",
    )
    assert rows.every(database, SINCE, meeting) == [first]


def test_a_resend_after_the_end_returns_the_first_row(database, meeting):
    """The answer was lost, and the session was closed before the client asked again."""
    values = [uuid4(), meeting, uuid4(), "Hi"]
    first = rows.one(database, SEND, *values)
    database.execute("select close_session(%s)", [meeting])
    assert rows.one(database, SEND, *values) == first


def test_a_message_of_a_closed_session_may_be_finished(database, meeting):
    """Its translation may still come, and be displayed."""
    message = rows.new_message(database, meeting)["id"]
    database.execute("select close_session(%s)", [meeting])
    database.execute(TRANSLATE, [message])
    database.execute("update messages set status = 'displayed' where id = %s", [message])
    assert rows.value(database, "select status from messages where id = %s", message) == "displayed"


FORGED = {
    "seq": 99,
    "rev": 99,
    "created_at": "2000-01-01",
    "timestamp": "2000-01-01",
    "queued_at": "2000-01-01",
    "processed_at": "2000-01-01",
    "displayed_at": "2000-01-01",
    "error": "forged",
}


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "postgres"])
def test_what_belongs_to_the_database_cannot_be_inserted(database, meeting, role):
    """seq, rev and stamps are the trigger's: what a client sends is ignored, whoever it is."""
    with rows.acting_as(database, role):
        row = rows.new_message(database, meeting, **FORGED)
    stamps = {row["created_at"], row["timestamp"], row["queued_at"]}
    assert stamps == {row["created_at"]}
    assert row["created_at"].year > 2000
    assert (row["seq"], row["rev"]) == (1, 1)
    assert (row["processed_at"], row["displayed_at"], row["error"]) == (None, None, None)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "postgres"])
def test_what_belongs_to_the_database_cannot_be_updated(database, meeting, role):
    """Nor can a message take another id or move to another session."""
    row = rows.new_message(database, meeting)
    forged = FORGED | {"id": uuid4(), "session_id": rows.new_session(database)["id"]}
    assignments = ", ".join(f"{name} = %({name})s" for name in forged)
    with rows.acting_as(database, role):
        database.execute(f"update messages set {assignments} where id = %(message)s", forged | {"message": row["id"]})
    assert rows.every(database, SINCE, meeting) == [row | {"rev": 2}]


@pytest.mark.parametrize("statement", ["delete from messages", "truncate messages"])
def test_a_client_deletes_no_message(database, statement):
    """What was said stays until its session goes."""
    with rows.acting_as(database, "anon"), pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute(statement)


@pytest.mark.parametrize(
    ("stamp", "steps"),
    [
        (
            "processed_at",
            ["translation = 'Hola'", "translation = 'Buenas'", "translation = null"],
        ),
        ("displayed_at", ["status = 'displayed'", "status = 'displayed'"]),
    ],
)
def test_a_stamp_is_given_once(database, meeting, stamp, steps):
    """When the translation arrives, and when the message is displayed; neither moves afterwards."""
    message = rows.new_message(database, meeting)
    stamped = [
        rows.value(database, f"update messages set {step} where id = %s returning {stamp}", message["id"])
        for step in steps
    ]
    assert set(stamped) == {stamped[0]}
    assert timedelta(0) < stamped[0] - message["created_at"] < timedelta(minutes=1)


def test_an_error_is_there_only_while_failed(database, meeting):
    """It is kept with status failed, goes when the message is queued again, and stands with no other status."""
    message = rows.new_message(database, meeting)["id"]
    fail = "update messages set status = %s, error = coalesce(%s, error) where id = %s returning error"
    steps = [("queued", "no"), ("failed", "engine down"), ("failed", None), ("queued", None), ("processing", "no")]
    errors = [rows.value(database, fail, status, error, message) for status, error in steps]
    assert errors == [None, "engine down", "engine down", None, None]


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        (["processing", "displayed"], None),
        (["processing", "failed"], None),
        (["displayed", "displayed"], None),
        (["failed", "queued", "processing", "queued"], None),
        (["displayed", "queued"], "displayed cannot become queued"),
        (["displayed", "processing"], "displayed cannot become processing"),
        (["displayed", "failed"], "displayed cannot become failed"),
        (["failed", "displayed"], "failed cannot become displayed"),
        (["failed", "processing"], "failed cannot become processing"),
    ],
)
def test_only_legal_moves_of_status(database, meeting, path, refused):
    """Displayed is final, and the refusal is a sentence that burns no rev; the same status again is no error."""
    message = rows.new_message(database, meeting)["id"]
    move = "update messages set status = %s where id = %s"
    for status in path[:-1]:
        database.execute(move, [status, message])
    if refused:
        said = rows.refusal(database, move, path[-1], message)
        assert (said.sqlstate, said.message_primary) == ("PT409", f"A message that is {refused}")
    else:
        database.execute(move, [path[-1], message])
    assert rows.new_message(database, meeting)["rev"] == 2 + len(path) - bool(refused)


def test_of_two_moves_at_once_the_illegal_one_is_refused(database, other, third, meeting):
    """The second is judged by what the first left behind."""
    message = rows.new_message(database, meeting)["id"]
    other.autocommit = False
    other.execute("update messages set status = 'displayed' where id = %s", [message])

    def fail():
        return rows.refusal(third, "update messages set status = 'failed' where id = %s", message)

    with blocked(database, third, fail) as said:
        other.commit()
    assert said.result().message_primary == "A message that is displayed cannot become failed"


@pytest.mark.parametrize(
    "columns",
    [
        {"original": ""},
        {"original": "x" * 10_001},
        {"translation": "x" * 40_001},
        {"original_lang": "english"},
        {"target_lang": "e"},
        {"status": "lost"},
        {"original": None},
        {"error": "x" * 1_001, "status": "failed"},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_the_checks_are_the_sdks(database, meeting, columns):
    """Whatever the SDK refuses, the database refuses too."""
    with pytest.raises(psycopg.IntegrityError):
        rows.new_message(database, meeting, **columns)


def test_a_message_goes_to_the_partners_language(database):
    """To that of the other who is present, not of one who is away or left."""
    session = rows.new_session(database)
    user = rows.joined(database, session, "en")
    database.execute("select leave_session(%s, %s)", [session["id"], rows.joined(database, session, "fr")])
    rows.joined(database, session, "es")
    sent = "select target_lang from send_message(gen_random_uuid(), %s, %s, 'Hi', 'en')"
    assert rows.value(database, sent, session["id"], user) == "es"


def test_a_message_to_nobody_is_refused(database):
    """Without a partner and without target_lang there is no language to translate into."""
    session = rows.new_session(database)
    user = rows.joined(database, session)
    said = rows.refusal(database, "select send_message(gen_random_uuid(), %s, %s, 'Hi', 'en')", session["id"], user)
    assert (said.sqlstate, said.message_primary) == ("PT409", "Nobody else is in this session to translate for")


def test_a_message_of_an_unknown_session_is_refused(database):
    """Also without target_lang: PT404, not PT409."""
    said = rows.refusal(database, "select send_message(gen_random_uuid(), %s, %s, 'Hi', 'en')", uuid4(), uuid4())
    assert (said.sqlstate, said.message_detail) == ("PT404", "There is no session with this id.")
