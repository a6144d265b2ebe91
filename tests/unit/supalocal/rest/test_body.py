"""Request bodies."""

import pytest

from supalocal.rest.body import FORM, JSON, Payload, call_payload, media_name, table_payload
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


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b"NaN", b"\xff", b"[" * 100_000])
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


def test_a_form_is_one_row():
    """A form is a row of texts."""
    assert table_payload(b"k=a&v=x+y", FORM, None).text == '{"k": "a", "v": "x y"}'


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
