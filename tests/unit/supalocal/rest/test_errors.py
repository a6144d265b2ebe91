"""Errors of the database as HTTP."""

import json

import pytest

from supalocal.rest.errors import RestError, database_error


def status(sqlstate: str, message: str = "m", *, is_anonymous: bool = False) -> int:
    return database_error(sqlstate, message, None, None, is_anonymous=is_anonymous).status


def test_the_body_has_four_keys():
    """Every error body has the same four keys, absent ones null."""
    assert json.loads(RestError(400, "X", "m").body) == {"code": "X", "details": None, "hint": None, "message": "m"}


@pytest.mark.parametrize(
    ("sqlstate", "wanted"),
    [
        ("23505", 409),
        ("23503", 409),
        ("23514", 400),
        ("42883", 404),
        ("42P01", 404),
        ("25006", 405),
        ("57014", 500),
        ("57P01", 503),
        ("53000", 503),
        ("53400", 500),
        ("40001", 500),
        ("40P01", 500),
        ("P0001", 400),
        ("P0002", 500),
        ("21000", 500),
        ("21001", 400),
        ("ABCDE", 400),
    ],
)
def test_sqlstates(sqlstate, wanted):
    """An SQLSTATE stands for an HTTP status."""
    assert status(sqlstate) == wanted


def test_a_missing_right_depends_on_who_asks():
    """Who is anonymous may sign in; who is not, may not."""
    assert (status("42501", is_anonymous=True), status("42501")) == (401, 403)


def test_an_unknown_role_is_unauthorized():
    """A role that does not exist is the token's fault."""
    assert (status("22023", 'role "x" does not exist'), status("22023", "other")) == (401, 400)


def test_an_aggregate_of_xml_that_does_not_fit_is_not_acceptable():
    """The one unknown function that stands for a form of answer is no missing resource."""
    assert status("42883", "function xmlagg(integer) does not exist") == 406


def test_a_missing_where_clause():
    """Safeupdate's refusal is the client's fault."""
    assert status("21000", "UPDATE requires a WHERE clause") == 400


def test_pt_codes_choose_the_status():
    """`PTnnn` is status nnn with the message as the reason."""
    error = database_error("PT402", "Payment Required", "d", "h", is_anonymous=False)
    assert (error.status, error.reason, error.details, error.hint) == (402, "Payment Required", "d", "h")


@pytest.mark.parametrize("sqlstate", ["PTABC", "PT0", "PT1x", "PT100", "PT199"])
def test_pt_codes_that_are_no_status(sqlstate):
    """A PT code without a status is a mistake of the database's author."""
    assert status(sqlstate) == 500


def test_sql_may_write_the_whole_answer():
    """`raise sqlstate 'PGRST'` chooses status, headers and reason."""
    said = '{"code": "A", "message": "b", "hint": "c"}'
    how = '{"status": 418, "headers": {"X-Y": "z"}, "status_text": "Teapot"}'
    error = database_error("PGRST", said, how, None, is_anonymous=False)
    assert (error.status, error.code, error.hint, error.headers, error.reason) == (
        418,
        "A",
        "c",
        {"X-Y": "z"},
        "Teapot",
    )


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("not json", "{}"),
        ('{"code": "A"}', "{}"),
        ('{"code": "A", "message": "b"}', None),
        ('{"code": "A", "message": "b"}', '{"status": "x", "headers": {}}'),
        ('{"code": "A", "message": "b"}', '{"status": 400, "headers": {"X": 1}}'),
        ('{"code": "A", "message": "b"}', '{"status": 101, "headers": {}}'),
        ('{"code": "A", "message": "b"}', '{"status": 400, "headers": {"X Y": "z"}}'),
        ('{"code": "A", "message": "b"}', '{"status": 400, "headers": {"X": "a\\r\\nSet-Cookie: b"}}'),
    ],
)
def test_what_sql_wrote_wrongly(said, how):
    """An answer that cannot be read is PGRST121."""
    assert database_error("PGRST", said, how, None, is_anonymous=False).code == "PGRST121"
