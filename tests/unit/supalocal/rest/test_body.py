"""Request bodies."""

import pytest

from supalocal.rest.body import CSV, FORM, JSON, Payload, call_payload, media_name, table_payload
from supalocal.rest.errors import RestError


def test_an_object_is_one_row():
    """The keys of an object are the columns."""
    payload = table_payload(b' {"b": 1, "a": 2}', JSON, None)
    assert (payload.keys, payload.is_object) == (("a", "b"), True)


def test_json_is_passed_on_as_it_came():
    """PostgreSQL reads the same text that the client wrote."""
    text = '{"n": 1.50, "big": 9007199254740993}'
    assert table_payload(text.encode(), JSON, None).text == text


def test_columns_spare_the_reading():
    """With `columns` the body is not even parsed."""
    assert table_payload(b"[{}", JSON, ("a",)) == Payload("[{}", ("a",))


@pytest.mark.parametrize("body", [b"[]", b"42", b'"x"', b"null", b"true"])
def test_no_rows(body):
    """An empty list and scalars are no rows."""
    assert table_payload(body, JSON, None) == Payload("[]", ())


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b"NaN", b"\xff", b"[" * 100_000, b'{"\\ud800": 1}'])
def test_broken_json_is_refused(body):
    """What is not JSON is PGRST102."""
    with pytest.raises(RestError) as caught:
        table_payload(body, JSON, None)
    assert caught.value.code == "PGRST102"


@pytest.mark.parametrize("body", [b'[{"a":1},{"b":1}]', b"[1,2]", b'[{"a":1},2]', b'[{"a":1},{"a":1,"b":2}]'])
def test_rows_must_have_the_same_keys(body):
    """Without `columns` all rows have the same keys."""
    with pytest.raises(RestError) as caught:
        table_payload(body, JSON, None)
    assert caught.value.message == "All object keys must match"


def test_csv():
    """CSV is rows of texts; NULL is null."""
    assert table_payload(b'k,v\na,"x,y"\nb,NULL\n', "text/csv", None).text == (
        '[{"k": "a", "v": "x,y"}, {"k": "b", "v": null}]'
    )


@pytest.mark.parametrize("body", [b"k\r\na\r\n", b"k\r\n\r\na", b'k\n"a"', b"k\n\na\n\n"])
def test_lines_of_csv(body):
    """Lines end as on any system, the last one perhaps not at all, and blank ones are none."""
    assert table_payload(body, CSV, None).text == '[{"k": "a"}]'


def test_quoted_csv():
    """A quoted field may hold quotes, commas and line ends; other separators of lines are letters like any."""
    assert table_payload('k,v\n"a ""b"",\n",c\u2028d\n'.encode(), CSV, None).text == (
        '[{"k": "a \\"b\\",\\n", "v": "c\u2028d"}]'
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", 'parse error (not enough input) at ""'),
        (b"k,v", 'parse error (not enough input) at ""'),
        (b'k\na"b\xc3\n', 'parse error (endOfInput) at "\\"b\\195\\n"'),
        (b"k,v\na,1\nb\n", "All lines must have same number of fields"),
    ],
)
def test_broken_csv_is_refused(body, message):
    """What is no CSV, or has no line end below its names, is PGRST102."""
    with pytest.raises(RestError) as caught:
        table_payload(body, CSV, None)
    assert (caught.value.code, caught.value.message) == ("PGRST102", message)


def test_csv_without_lines_is_no_rows():
    """A header alone is no rows."""
    assert table_payload(b"k,v\n", CSV, None) == Payload("[]", ())


def test_a_form_is_one_row():
    """A form is a row of texts."""
    assert table_payload(b"k=a;v=x+y&w", FORM, None).text == '{"k": "a", "v": "x y", "w": ""}'


def test_an_empty_form_is_a_row_of_defaults():
    """A form without fields is a row that says nothing of its columns, not no row."""
    assert table_payload(b"", FORM, None) == Payload("{}", ())


def test_a_call_may_have_its_arguments_as_csv():
    """The line below the names is an object of arguments."""
    assert call_payload(b"b,a\n1,2\n", CSV, None) == Payload('[{"b": "1", "a": "2"}]', ("a", "b"))


def test_a_call_without_a_body_has_no_arguments():
    """No body is an empty object."""
    assert call_payload(b"", JSON, None) == Payload("{}", ())


def test_other_types_are_refused_by_name():
    """A content type that we do not read is named."""
    with pytest.raises(RestError) as caught:
        table_payload(b"", "image/png", None)
    assert caught.value.message == "Content-Type not acceptable: image/png"


def test_no_content_type_is_json():
    """Without a Content-Type a body is JSON."""
    assert (media_name(None), media_name("Text/CSV; charset=x")) == (JSON, "text/csv")


@pytest.mark.parametrize("given", ["application/vnd.pgrst.array+json", "Application/JSON; charset=utf-8"])
def test_other_names_of_json(given):
    """An array of PostgREST's own is JSON too."""
    assert media_name(given) == JSON
