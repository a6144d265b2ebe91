"""The queue: what a claim gives, how it ends, and what becomes of failures."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest
from support import queue, rows

CALLS = {"complete": queue.COMPLETE, "fail": queue.FAIL, "release": queue.RELEASE, "extend": queue.EXTEND}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
STATE = "select status, translation, error, rev from messages where id = %s"


@pytest.fixture
def meeting(database):
    """The id of a session of the test's own."""
    return rows.new_session(database)["id"]


@pytest.fixture
def message(database, meeting):
    """The id of its first message."""
    return rows.new_message(database, meeting)["id"]


@pytest.fixture
def claimed(database, message):
    """The claim of that message."""
    [claimed] = queue.claim(database)
    assert claimed["id"] == message
    return claimed


def ids(claims):
    return [claimed["id"] for claimed in claims]


def test_a_claim_gives_what_a_translator_needs(database, meeting):
    """Text, languages, place, and the token that ends it; all see the message as processing."""
    message = rows.new_message(database, meeting)
    [claimed] = queue.claim(database, lease=timedelta(minutes=5))
    shared = ("id", "session_id", "user_id", "original", "original_lang", "target_lang", "seq")
    assert {name: claimed[name] for name in shared} == {name: message[name] for name in shared}
    assert claimed["attempt"] == 1
    assert timedelta(minutes=4) < claimed["leased_until"] - datetime.now(UTC) <= timedelta(minutes=5)
    assert rows.one(database, STATE, message["id"]) == {
        "status": "processing",
        "translation": None,
        "error": None,
        "rev": 2,
    }


def test_the_oldest_are_claimed_first(database):
    """Of all sessions; and each session's come in order."""
    meetings = [rows.new_session(database)["id"] for _ in range(3)]
    messages = [rows.new_message(database, meetings[n % 3])["id"] for n in range(9)]
    batches = [queue.claim(database, limit=4) for _ in range(4)]
    assert [set(ids(batch)) for batch in batches] == [set(messages[:4]), set(messages[4:8]), set(messages[8:]), set()]
    for batch in batches:
        assert batch == sorted(batch, key=lambda claimed: (claimed["session_id"], claimed["seq"]))


@pytest.mark.parametrize(
    "columns",
    [{"translation": "Hola"}, {"status": "displayed"}, {"status": "failed"}, {"status": "processing"}],
    ids=["translated", "displayed", "failed", "claimed by its client"],
)
def test_only_what_is_queued_without_a_translation_is_claimed(database, meeting, columns):
    """Clients that use no queue go on without it."""
    rows.new_message(database, meeting, **columns)
    assert queue.claim(database) == []


@pytest.mark.usefixtures("claimed")
def test_a_claimed_message_is_not_claimed_again(database):
    """Until its lease runs out."""
    assert queue.claim(database) == []


def test_a_lease_that_ran_out_can_be_claimed(database, claimed):
    """By anybody, at once, with a new token; nobody failed, so it is still the first attempt."""
    queue.let_lease_run_out(database, claimed["id"])
    [again] = queue.claim(database, worker="another")
    assert (again["id"], again["attempt"], again["token"] == claimed["token"]) == (claimed["id"], 1, False)
    assert rows.value(database, "select worker from private.translation_jobs where message_id = %s",
                      again["id"]) == "another"  # fmt: skip


@each_call
def test_a_replaced_token_is_refused(database, claimed, call):
    """Whoever lost its claim learns so, and changes nothing."""
    queue.let_lease_run_out(database, claimed["id"])
    [again] = queue.claim(database)
    before = rows.one(database, STATE, claimed["id"])
    assert queue.told(database, call, claimed) == queue.STALE
    assert rows.one(database, STATE, claimed["id"]) == before
    assert queue.told(database, call, again) == "ok"


@each_call
@pytest.mark.parametrize("token", [None, uuid4()], ids=["none", "unknown"])
def test_a_foreign_token_is_refused(database, claimed, call, token):
    """A claim is proven by its token only."""
    assert queue.told(database, call, claimed | {"token": token}) == queue.STALE


@each_call
def test_a_deleted_message_is_refused(database, claimed, call):
    """Its claim went with it, and the refusal is a sentence."""
    database.execute("delete from messages where id = %s", [claimed["id"]])
    with pytest.raises(psycopg.Error, match="This claim has been lost"):
        queue.tell(database, call, claimed)


@each_call
def test_a_lease_that_ran_out_unnoticed_still_counts(database, claimed, call):
    """Nobody else claimed the message, so the work is not thrown away."""
    queue.let_lease_run_out(database, claimed["id"])
    assert queue.told(database, call, claimed) == "ok"


def test_completing_stores_the_translation(database, claimed):
    """Ready to display: the status stays processing, one rev on, stamped, with the metrics."""
    row = rows.one(database, "select * from complete_message(%s, %s, 'Hola', %s)",
                   claimed["id"], claimed["token"], '{"translation_ms": 7}')  # fmt: skip
    assert rows.one(database, "select * from messages where id = %s", claimed["id"]) == row
    assert (row["status"], row["translation"], row["rev"]) == ("processing", "Hola", 3)
    assert row["performance_metrics"] == {"translation_ms": 7}
    assert row["processed_at"] > row["created_at"]
    assert queue.claim(database) == []


def test_an_extended_lease_ends_later(database, claimed):
    """So long from now, and it says when."""
    until = rows.value(database, "select extend_lease(%s, %s, '10 minutes')", claimed["id"], claimed["token"])
    assert timedelta(minutes=9) < until - datetime.now(UTC) <= timedelta(minutes=10)


@pytest.mark.parametrize("call", [queue.COMPLETE, queue.FAIL, queue.RELEASE], ids=["complete", "fail", "release"])
def test_the_same_call_again_changes_nothing(database, claimed, call):
    """The answer was lost, and the worker asks again: the same row, the same rev."""
    first = queue.tell(database, call, claimed)
    assert queue.tell(database, call, claimed) == first
    assert rows.one(database, "select * from messages where id = %s", claimed["id"]) == first


def test_a_second_translation_is_refused(database, claimed):
    """The same token with another text is not the same call."""
    queue.tell(database, queue.COMPLETE, claimed)
    assert queue.told(database, queue.COMPLETE.replace("Hola", "Buenas"), claimed) == queue.STALE


@pytest.mark.parametrize(
    ("change", "call"),
    [
        (change, call)
        for change in (
            "translation = 'Buenas'",
            "translation = 'Buenas', status = 'processing'",
            "status = 'displayed'",
            "status = 'queued'",
            "status = 'failed', error = 'by hand'",
        )
        for call in CALLS.values()
        if (change, call) != ("status = 'queued'", queue.RELEASE)  # it is where releasing would bring it
    ],
)
def test_a_plain_update_ends_the_claim(database, claimed, change, call):
    """A client that uses no queue moved the message on: the worker's call is refused, and its state stays."""
    with rows.acting_as(database, "anon"):
        database.execute(f"update messages set {change} where id = %s", [claimed["id"]])
    before = rows.one(database, STATE, claimed["id"])
    assert queue.told(database, call, claimed) == queue.STALE
    assert rows.one(database, STATE, claimed["id"]) == before


def test_what_a_client_queues_again_can_be_claimed_at_once(database, claimed):
    """The lease ended with the move, not with its time."""
    database.execute("update messages set status = 'queued' where id = %s", [claimed["id"]])
    assert ids(queue.claim(database)) == [claimed["id"]]


def test_a_claim_survives_the_end_of_the_session(database, claimed):
    """What is under way may finish."""
    database.execute("select close_session(%s)", [claimed["session_id"]])
    assert queue.tell(database, queue.COMPLETE, claimed)["translation"] == "Hola"


def test_a_released_message_can_be_claimed_at_once(database, claimed):
    """As if it had not been: no pause, no failure, no error."""
    row = queue.tell(database, queue.RELEASE, claimed)
    assert (row["status"], row["error"]) == ("queued", None)
    [again] = queue.claim(database)
    assert (again["id"], again["attempt"]) == (claimed["id"], 1)


@pytest.mark.parametrize(
    "statement",
    [
        "select claim_messages(null)",
        "select claim_messages('worker', 0)",
        "select claim_messages('worker', 101)",
        "select claim_messages('worker', null)",
        "select claim_messages('worker', 1, '61 minutes')",
        "select claim_messages('worker', 1, '-1 second')",
        "select claim_messages('worker', 1, null)",
        "select extend_lease(gen_random_uuid(), gen_random_uuid(), '61 minutes')",
        "select extend_lease(gen_random_uuid(), gen_random_uuid(), null)",
        "select complete_message(gen_random_uuid(), gen_random_uuid(), null)",
    ],
)
def test_a_call_without_sense_is_a_bad_request(database, statement):
    """With a sentence, a detail and a hint."""
    said = rows.refusal(database, statement)
    assert said.sqlstate == "PT400"
    assert all([said.message_primary, said.message_detail, said.message_hint])


@pytest.mark.parametrize(
    "statement",
    [
        "select claim_messages('me')",
        "select extend_lease(gen_random_uuid(), gen_random_uuid())",
        "select complete_message(gen_random_uuid(), gen_random_uuid(), 'Hola')",
        "select fail_message(gen_random_uuid(), gen_random_uuid(), 'no')",
        "select release_message(gen_random_uuid(), gen_random_uuid())",
        "select retry_failed(gen_random_uuid())",
        "select private.require_claim(gen_random_uuid(), gen_random_uuid())",
        "select * from private.translation_jobs",
        "update private.translation_jobs set leased_until = null",
        "delete from private.translation_jobs",
        "select * from private.session_revisions",
        "update private.session_revisions set rev = 0",
    ],
)
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_clients_are_refused(database, statement, role):
    """The queue is for workers, who hold a secret key."""
    with rows.acting_as(database, role), pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute(statement)


def test_a_worker_works_with_its_secret_key(stack, message):
    """Over REST, as service_role; the public key is refused."""

    def call(function, key, **arguments):
        return httpx.post(f"{stack.url}/rest/v1/rpc/{function}", json=arguments, headers={"apikey": key})

    assert call("claim_messages", stack.publishable_key, worker="me").status_code == 401
    [claimed] = call("claim_messages", stack.secret_key, worker="me", limit=1, lease="10 s").json()
    done = call("complete_message", stack.secret_key, id=str(message), token=claimed["token"], translation="Hola")
    assert (done.status_code, done.json()["translation"]) == (200, "Hola")
    late = call("fail_message", stack.secret_key, id=str(message), token=str(uuid4()), error="no")
    assert (late.status_code, late.reason_phrase) == (409, "This claim has been lost")
