"""Sessions: codes, requests that come twice, the end of a session, and what a client hears of it."""

from datetime import timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest
from support import rows
from support.locks import blocked

CREATE = "select * from create_session(%s)"
DRAW = "select generate_unique_session_code()"
EXPIRE = "update sessions set expires_at = now() - interval '1 second' where id = %s"
CLOSE = "update sessions set is_active = false where id = %s"


@pytest.fixture
def all_taken(database):
    """Every code belongs to a live session, until the end of the test."""
    with database.transaction(force_rollback=True):
        database.execute("insert into sessions (code) select lpad(n::text, 4, '0') from generate_series(0, 9999) n")
        yield


def test_equal_requests_at_once_create_one_session(database, other, third):
    """The second waits for the first and returns its session."""
    request = uuid4()
    other.autocommit = False
    first = rows.one(other, CREATE, request)
    with blocked(database, third, lambda: rows.one(third, CREATE, request)) as second:
        other.commit()
    assert second.result() == first


def test_a_request_whose_twin_is_undone_creates_the_session(database, other, third):
    """Waiting for an equal request that fails is no failure."""
    request = uuid4()
    other.autocommit = False
    other.execute(CREATE, [request])
    with blocked(database, third, lambda: rows.one(third, CREATE, request)) as second:
        other.rollback()
    assert rows.one(database, "select * from sessions where id = %s", request) == second.result()


@pytest.mark.usefixtures("all_taken")
@pytest.mark.parametrize("end", [EXPIRE, CLOSE], ids=["expired", "closed"])
def test_the_code_of_a_session_that_is_over_is_drawn_at_once(database, end):
    """Of 10,000 codes the only free one is found, cron or no cron."""
    over = rows.one(database, "select id, code from sessions where is_active order by random() limit 1")
    database.execute(end, [over["id"]])
    assert rows.new_session(database)["code"] == over["code"]


@pytest.mark.usefixtures("all_taken")
def test_creating_closes_the_expired_holder_of_the_code(database):
    """Only one of the sessions with a code is active."""
    holder = rows.value(database, "select id from sessions where is_active and code = '4711'")
    database.execute(EXPIRE, [holder])
    rows.new_session(database)
    assert rows.value(database, "select is_active from sessions where id = %s", holder) is False


@pytest.mark.usefixtures("all_taken")
def test_few_free_codes_are_drawn_equally_often(database):
    """Of 3 free codes each is drawn at least 15 times in 120."""
    database.execute("update sessions set is_active = false where is_active and code in ('0000', '1234', '9999')")
    drawn = rows.every(
        database,
        "select code, count(*) > 15 as often from (select generate_unique_session_code() as code"
        " from generate_series(1, 120)) draws group by code order by code",
    )
    assert drawn == [{"code": code, "often": True} for code in ("0000", "1234", "9999")]


def test_a_code_is_four_digits_of_all_the_codes_there_are(database):
    """Also the smallest keep their zeros: of 300 draws some begin with 0."""
    drawn = rows.column(database, f"{DRAW} from generate_series(1, 300)")
    assert {(len(code), code.isdecimal()) for code in drawn} == {(4, True)}
    assert {code[0] for code in drawn} == set("0123456789")


@pytest.mark.usefixtures("all_taken")
def test_without_a_free_code_creating_is_refused(database):
    """With a sentence, at once."""
    said = rows.refusal(database, CREATE, uuid4())
    assert (said.sqlstate, said.message_primary) == ("PT409", "No free session code")
    assert said.message_detail
    assert said.message_hint


@pytest.mark.parametrize(
    ("end", "hears"), [("commit", "PT409"), ("rollback", None)], ids=["taken by the first", "given up by the first"]
)
def test_of_two_who_draw_the_last_code_one_gets_it(database, other, third, end, hears):
    """The second waits for the first; it hears PT409, or gets the code that the first gave up."""
    database.execute("insert into sessions (code) select lpad(n::text, 4, '0') from generate_series(1, 9999) n")
    other.autocommit = False
    assert rows.new_session(other)["code"] == "0000"
    with blocked(database, third, lambda: outcome(third)) as second:
        getattr(other, end)()
    assert second.result() == (hears or "0000")


def outcome(connection):
    """The code of a new session, or the SQLSTATE of the refusal."""
    try:
        return rows.new_session(connection)["code"]
    except psycopg.Error as error:
        return error.sqlstate


@pytest.mark.parametrize("end", [EXPIRE, CLOSE], ids=["expired", "closed"])
@pytest.mark.parametrize(
    "statement",
    [
        "select join_session(%(code)s, gen_random_uuid(), 'en')",
        "select join_session(%(code)s)",
        "insert into session_participants (session_id, user_id, lang) values (%(id)s, gen_random_uuid(), 'en')",
        "select send_message(gen_random_uuid(), %(id)s, gen_random_uuid(), 'Hi', 'en', 'es')",
        (
            "insert into messages (session_id, user_id, original, original_lang, target_lang)"
            " values (%(id)s, gen_random_uuid(), 'Hi', 'en', 'es')"
        ),
        "insert into user_activity (session_id, user_id, activity_type) values (%(id)s, gen_random_uuid(), 'typing')",
        (
            "insert into user_activity (session_id, user_id, activity_type) values (%(id)s, %(user)s, 'idle')"
            " on conflict (session_id, user_id) do update set activity_type = excluded.activity_type"
        ),
        "select touch_participant(%(id)s, %(user)s)",
    ],
    ids=["join", "nameless join", "participant", "send", "message", "activity", "activity again", "touch"],
)
def test_a_session_that_is_over_refuses_without_waiting(database, other, statement, end):
    """Also while another transaction holds the session's row: PT410, at that instant."""
    session = rows.new_session(database)
    user = rows.joined(database, session)
    database.execute("insert into user_activity (session_id, user_id, activity_type) values (%s, %s, 'typing')",
                     [session["id"], user])  # fmt: skip
    database.execute(end, [session["id"]])
    other.autocommit = False
    other.execute("select from sessions where id = %s for update", [session["id"]])
    database.execute("set lock_timeout = '200ms'")
    with pytest.raises(psycopg.Error) as caught:
        database.execute(statement, session | {"user": user})
    assert caught.value.sqlstate == "PT410"


@pytest.mark.parametrize(
    "statement",
    [
        "select join_session(%(code)s, gen_random_uuid(), 'en')",
        "insert into session_participants (session_id, user_id, lang) values (%(id)s, gen_random_uuid(), 'en')",
    ],
)
def test_a_join_that_meets_the_close_of_its_session_is_refused(database, other, third, statement):
    """Nobody is told that they are in a session that is over, and nobody is."""
    session = rows.new_session(database)
    other.autocommit = False
    other.execute("select close_session(%s)", [session["id"]])

    def join():
        with pytest.raises(psycopg.Error) as caught:
            third.execute(statement, session)
        return caught.value.sqlstate

    with blocked(database, third, join) as answer:
        other.commit()
    assert answer.result() == "PT410"
    assert rows.value(database, "select user_count from sessions where id = %s", session["id"]) == 0


@pytest.mark.parametrize("end", ["is_active = false", "expires_at = now()"])
def test_no_client_revives_a_session(database, end):
    """Over is over, whatever a client writes."""
    session = rows.new_session(database)
    database.execute(f"update sessions set {end} where id = %s", [session["id"]])
    over = rows.one(database, "select * from sessions where id = %s", session["id"])
    with rows.acting_as(database, "anon"):
        database.execute(
            "update sessions set is_active = true, expires_at = now() + interval '20 hours' where id = %s", [over["id"]]
        )
    assert rows.one(database, "select * from sessions where id = %s", over["id"]) == over


def test_a_client_does_not_shorten_what_an_operator_granted(database):
    """More than 24 hours stay, whatever else a client writes."""
    session = rows.new_session(database)
    grant = "update sessions set expires_at = now() + interval '7 days' where id = %s returning *"
    granted = rows.one(database, grant, session["id"])
    with rows.acting_as(database, "anon"):
        database.execute("update sessions set user_count = 2 where id = %s", [session["id"]])
        rows.one(database, "select * from extend_session(%s, '1 hour')", session["id"])
    assert rows.one(database, "select * from sessions where id = %s", session["id"]) == granted


def test_a_session_is_extended_from_its_end(database):
    """By the duration, not from now."""
    session = rows.new_session(database)
    extended = rows.one(database, "select * from extend_session(%s, '1 hour')", session["id"])
    assert extended == session | {"expires_at": session["expires_at"] + timedelta(hours=1)}


@pytest.mark.parametrize("duration", ["21 hours", "1000 years"])
def test_a_session_never_lives_longer_than_a_day(database, duration):
    """Whatever the duration and however often."""
    session = rows.new_session(database)
    for _ in range(2):
        extended = rows.one(database, "select * from extend_session(%s, %s)", session["id"], duration)
        assert extended["expires_at"] == session["created_at"] + timedelta(hours=24)


def test_a_client_cannot_write_a_later_end(database):
    """A plain update or insert is cut to a day as well."""
    session = rows.new_session(database)
    later = "update sessions set expires_at = now() + interval '1 year' where id = %s returning *"
    with rows.acting_as(database, "anon"):
        updated = rows.one(database, later, session["id"])
        inserted = rows.one(
            database,
            "insert into sessions (code, expires_at, created_at) values"
            " (generate_unique_session_code(), now() + interval '1 year', now() + interval '1 year') returning *",
        )
    for row in (updated, inserted):
        assert row["expires_at"] - row["created_at"] == timedelta(hours=24)
        assert row["created_at"] < session["created_at"] + timedelta(hours=1)


@pytest.mark.parametrize("end", [EXPIRE, CLOSE], ids=["expired", "closed"])
def test_a_session_that_is_over_is_not_extended(database, end):
    """Its code may be somebody else's by now."""
    session = rows.new_session(database)
    database.execute(end, [session["id"]])
    assert rows.refusal(database, "select extend_session(%s, '1 hour')", session["id"]).sqlstate == "PT410"


def test_closing_ends_the_session_now_and_keeps_who_was_in(database):
    """Its end is brought forward, and the rows stay."""
    session = rows.new_session(database)
    rows.joined(database, session)
    closed = rows.one(database, "select s.*, s.expires_at <= clock_timestamp() as over from close_session(%s) s",
                      session["id"])  # fmt: skip
    assert (closed["is_active"], closed["over"], closed["user_count"]) == (False, True, 1)


def test_closing_twice_changes_nothing(database):
    """The second call returns the row of the first."""
    session = rows.new_session(database)["id"]
    closed = rows.one(database, "select * from close_session(%s)", session)
    assert rows.one(database, "select * from close_session(%s)", session) == closed


def test_two_who_close_at_once_both_return_the_closed_session(database, other, third):
    """The second waits, then finds nothing left to do."""
    session = rows.new_session(database)["id"]
    other.autocommit = False
    first = rows.one(other, "select * from close_session(%s)", session)
    with blocked(database, third, lambda: rows.one(third, "select * from close_session(%s)", session)) as second:
        other.commit()
    assert second.result() == first


def test_clients_cannot_forge_a_sessions_facts(database):
    """user_count, code and stamps are the database's; a front end that writes them does no harm."""
    session = rows.new_session(database)
    facts = "select code, user_count, created_at, last_activity, is_active from sessions where id = %s"
    before = rows.one(database, facts, session["id"])
    with rows.acting_as(database, "anon"):
        database.execute(
            "update sessions set user_count = 77, code = '0000', created_at = 'infinity', last_activity = 'infinity',"
            " is_active = false where id = %s",
            [session["id"]],
        )
    assert rows.one(database, facts, session["id"]) == before | {"is_active": False}


def call(stack, function, **arguments):
    """The answer of the REST API to a client with the public key."""
    return httpx.post(f"{stack.url}/rest/v1/rpc/{function}", json=arguments, headers={"apikey": stack.publishable_key})


def test_an_unknown_code_is_a_404(database, stack):
    """Its sentence is the reason phrase, and says what to do."""
    code = rows.value(database, DRAW)
    answer = call(stack, "join_session", code=code)
    assert (answer.status_code, answer.reason_phrase) == (404, "Session not found or expired")
    assert answer.json() == {
        "code": "PT404",
        "message": "Session not found or expired",
        "details": f"No session has the code {code}.",
        "hint": "Create a session, or ask the other person for the code again.",
    }


@pytest.mark.parametrize("end", [EXPIRE, CLOSE], ids=["expired", "closed"])
def test_a_session_that_is_over_is_a_410(database, stack, end):
    """With the same sentence as an unknown one, as the founding spec has it."""
    session = rows.new_session(database)
    database.execute(end, [session["id"]])
    answer = call(stack, "join_session", code=session["code"], user_id=str(uuid4()), lang="en")
    assert (answer.status_code, answer.reason_phrase) == (410, "Session not found or expired")
    assert answer.json() == {
        "code": "PT410",
        "message": "Session not found or expired",
        "details": "The session was closed or its time is over.",
        "hint": "Create a new session.",
    }


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("extend_session", {"duration": "1 hour"}), ("close_session", {})],
    ids=["extend", "close"],
)
def test_an_unknown_session_is_a_404(stack, function, arguments):
    """Whoever names a session that is not there hears so."""
    answer = call(stack, function, session_id=str(uuid4()), **arguments)
    assert (answer.status_code, answer.json()["details"]) == (404, "There is no session with this id.")


@pytest.mark.parametrize("duration", ["0 hours", "-1 hour", None])
def test_a_duration_that_is_not_positive_is_a_400(database, stack, duration):
    """A session is ended by closing it."""
    session = rows.new_session(database)["id"]
    answer = call(stack, "extend_session", session_id=str(session), duration=duration)
    assert (answer.status_code, answer.json()["message"]) == (400, "A session is extended by a positive duration")


@pytest.mark.parametrize("arguments", [{"lang": "en"}, {"user_id": str(uuid4())}], ids=["lang", "user"])
def test_half_a_participant_is_a_400(database, stack, arguments):
    """A user without a language could not be translated for."""
    session = rows.new_session(database)
    answer = call(stack, "join_session", code=session["code"], **arguments)
    assert (answer.status_code, answer.json()["code"]) == (400, "PT400")


@pytest.mark.parametrize("code", ["12", "Hi\r\nthere", "€", "", "x" * 5000], ids=["short", "lines", "euro", "", "long"])
def test_a_refusal_is_one_line_whatever_the_code_was(stack, code):
    """It becomes the reason phrase of an HTTP answer."""
    answer = call(stack, "join_session", code=code)
    assert (answer.status_code, answer.reason_phrase) == (404, "Session not found or expired")
    assert answer.json()["details"].isprintable()
    assert len(answer.json()["details"]) < 60
