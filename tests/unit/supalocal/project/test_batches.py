"""Which statements of a file run together."""

import pytest

from supalocal.project.batches import batches
from supalocal.project.statements import split


def sent(script):
    """What is sent, a list for each batch; in parentheses what runs outside of a transaction."""
    return [
        [step.sql if batch.in_transaction else f"({step.sql})" for step in batch.steps]
        for batch in batches(split(script))
    ]


def refusals(script):
    return [step.refusal for batch in batches(split(script)) for step in batch.steps if step.refusal]


def test_a_file_is_one_transaction():
    """Whatever it holds."""
    assert sent("create table a (); insert into a default values; lock table a") == [
        ["create table a ()", "insert into a default values", "lock table a"]
    ]


def test_a_file_without_statements_is_one_empty_transaction():
    """In which it is recorded."""
    assert sent("") == [[]]


@pytest.mark.parametrize(
    "alone",
    [
        "create index concurrently i on t (a)",
        "CREATE UNIQUE INDEX CONCURRENTLY ON t (a)",
        "drop index concurrently i",
        "reindex (verbose) table concurrently t",
        "vacuum analyze t",
        "alter system set work_mem = '4MB'",
    ],
)
def test_what_runs_outside_of_transactions_only_runs_alone(alone):
    """What came before it is committed by then."""
    assert sent(f"select 1; {alone}; select 2") == [["select 1"], [f"({alone})"], ["select 2"]]


def test_a_concurrent_refresh_runs_with_the_others():
    """Postgres allows it in a transaction."""
    script = "select 1;refresh materialized view concurrently m"
    assert sent(script) == [script.split(";")]


@pytest.mark.parametrize("begin", ["begin", "BEGIN TRANSACTION", "start transaction read write", "begin work"])
@pytest.mark.parametrize("commit", ["commit", "END", "commit transaction", "end work", "commit and no chain"])
def test_a_transaction_of_its_own_cannot_cut_a_file_in_two(begin, commit):
    """It becomes a part of the file's."""
    assert sent(f"{begin}; select 1; {commit}") == [
        ["savepoint the_file_began", "select 1", "release savepoint the_file_began"]
    ]


def test_its_own_rollback_undoes_its_own_transaction():
    """And no more."""
    assert sent("select 1; begin; select 2; rollback; select 3") == [
        ["select 1", "savepoint the_file_began", "select 2", "rollback to savepoint the_file_began", "select 3"]
    ]


@pytest.mark.parametrize("idle", ["commit", "end", "rollback", "abort"])
def test_the_end_of_no_transaction_is_nothing(idle):
    """Postgres would warn."""
    assert sent(f"select 1; {idle}; select 2") == [["select 1", "select 2"]]


def test_a_second_begin_is_nothing():
    """Postgres would warn."""
    assert sent("begin; begin; commit") == [["savepoint the_file_began", "release savepoint the_file_began"]]


@pytest.mark.parametrize("text", ["savepoint a", "release a", "rollback to a"])
def test_what_needs_an_explicit_transaction_is_refused_without_one(text):
    """As Postgres refuses it in the implicit one of the Supabase CLI."""
    assert refusals(text) == [
        f"{text.split()[0].upper()} can only be used in transaction blocks: put begin and commit around it"
    ]
    assert refusals(f"begin; {text}; commit") == []


def test_a_transaction_left_open_is_refused():
    """The Supabase CLI would undo it without a word."""
    assert refusals("begin; select 1") == ["the file begins a transaction and never commits it"]


@pytest.mark.parametrize("text", ["copy t from stdin", "COPY t (a)\nFROM STDIN (format csv)", "copy t to stdout"])
def test_rows_beside_the_statements_are_refused(text):
    """Only psql can send them."""
    assert "write insert statements" in refusals(text)[0]


def test_copying_from_a_file_of_the_server_is_left_to_postgres():
    """Which asks for the right to it."""
    assert refusals("copy t from '/tmp/rows'") == []
