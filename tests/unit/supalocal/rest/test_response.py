"""What SQL may set of an answer, and what it may not."""

import pytest

from supalocal.rest.configuration import Configuration
from supalocal.rest.errors import RestError
from supalocal.rest.media import Form, Media
from supalocal.rest.plan import Plan
from supalocal.rest.read import Read
from supalocal.rest.request import RawRequest, parse_request
from supalocal.rest.response import Answer, answer, error_answer
from supalocal.rest.run import Result
from supalocal.rest.schema import Name

READ = Plan(Read(Name("public", "t"), None, None, ()), Media(Form.JSON))


def answered(result: Result, query: str = "") -> Answer:
    request = parse_request(RawRequest("GET", "t", query, {}, (), b""), Configuration(), ())
    return answer(request, READ, result, query)


def test_a_read_names_its_rows_and_where_they_are():
    """A read answers with Content-Range and Content-Location."""
    given = answered(Result(None, 2, b"[]"), "limit=5")
    assert (given.status, given.headers["Content-Range"], given.headers["Content-Location"]) == (
        200,
        "0-1/*",
        "/t?limit=5",
    )


def test_sql_may_set_status_and_headers():
    """response.status and response.headers replace ours."""
    given = answered(Result(None, 0, b"x", '[{"content-type": "text/x"}]', "202"))
    assert (given.status, given.set_by_sql, "Content-Type" in given.headers) == (
        202,
        (("content-type", "text/x"),),
        False,
    )


def test_sql_may_set_a_header_twice():
    """Two headers of one name, such as cookies, are both sent."""
    given = answered(Result(None, 0, b"", '[{"Set-Cookie": "a=1"}, {"Set-Cookie": "b=2"}]'))
    assert [value for name, value in given.all_headers if name == "Set-Cookie"] == ["a=1", "b=2"]


def test_whoever_sets_503_says_when_to_retry():
    """Every 503 tells to retry, whether an error or SQL made it one."""
    refused = error_answer(RestError(503, "53000", "m"))
    given = answered(Result(None, 0, b"", None, "503"))
    assert all(("Retry-After", "0") in answer.all_headers for answer in (refused, given))


@pytest.mark.parametrize("status", ["teapot", "99", "100", "1000", "-5", ""])
def test_a_status_must_be_one(status):
    """What is no final HTTP status is PGRST112."""
    with pytest.raises(RestError) as caught:
        answered(Result(None, 0, b"", None, status))
    assert caught.value.code == "PGRST112"


@pytest.mark.parametrize(
    "headers",
    ['{"X": "1"}', "[1]", '[{"X": 1}]', '[{"X": "1", "Y": "2"}]', "no", '[{"X Y": "1"}]', '[{"X": "a\\r\\nY: b"}]'],
)
def test_headers_must_be_headers(headers):
    """What cannot stand in an HTTP answer is PGRST111."""
    with pytest.raises(RestError) as caught:
        answered(Result(None, 0, b"", headers))
    assert caught.value.code == "PGRST111"


def test_a_reason_is_one_printable_line():
    """A message of several lines becomes one reason."""
    assert error_answer(RestError(418, "PT418", "m", reason="a\r\nb\x01 c")).reason == "a b c"


def test_head_has_no_body():
    """An error answers HEAD without its body, but with its code."""
    given = error_answer(RestError(404, "X", "m"), is_head=True)
    assert (given.body, given.headers["Proxy-Status"]) == (b"", "PostgREST; error=X")


@pytest.mark.parametrize(("rows", "status"), [(0, 200), (1, 201)])
def test_a_merge_that_inserts_nothing_creates_nothing(rows, status):
    """Also into a table without a key, where nothing can be merged."""
    raw = RawRequest("POST", "t", "", {}, ("resolution=merge-duplicates",), b"")
    given = answer(parse_request(raw, Configuration(), ()), READ, Result(None, rows, b""), "")
    assert given.status == status
