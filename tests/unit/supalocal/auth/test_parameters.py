"""Bodies, read as strictly as the real server reads them."""

import json

import pytest

from supalocal.auth.errors import AuthError
from supalocal.auth.parameters import read_parameters


class Request:
    """As much of a request as is read."""

    def __init__(self, body):
        self._body = body

    async def read(self):
        return self._body


async def test_a_null_is_no_member():
    """Text, flags and objects have a value for it."""
    for body in (b"{}", b"null", b' {"a": null}\n'):
        given = await read_parameters(Request(body))
        assert (given.text("a"), given.optional_text("a"), given.flag("a"), given.members("a")) == (
            "",
            None,
            False,
            None,
        )


async def test_members_come_as_they_were_sent():
    """Strings, booleans, objects."""
    given = await read_parameters(Request(json.dumps({"a": "x", "b": True, "c": {"d": [1]}}).encode()))
    assert (given.text("a"), given.flag("b"), given.members("c")) == ("x", True, {"d": [1]})


@pytest.mark.parametrize(("value", "kind"), [("1", "number"), ("[]", "array"), ("{}", "object"), ("true", "bool")])
async def test_another_type_is_named(value, kind):
    """As Go's decoder names it."""
    given = await read_parameters(Request(b'{"a": %s}' % value.encode()))
    with pytest.raises(AuthError, match=f"json: cannot unmarshal {kind} into Go struct field .a of type string"):
        given.text("a")


async def test_half_a_character_is_replaced():
    """A lone surrogate can be neither hashed nor stored."""
    assert (await read_parameters(Request(rb'{"a": "x\ud800y"}'))).text("a") == "x\ufffdy"


async def test_half_a_character_within_an_object_is_replaced():
    """In names, values and whatever holds them; whole characters stay."""
    given = await read_parameters(Request(rb'{"a": {"x\ud800": ["\udc00", "\ud83d\ude00"]}}'))
    assert given.members("a") == {"x\ufffd": ["\ufffd", "\U0001f600"]}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b"grant_type=password", "invalid character 'g' looking for beginning of value"),
        (b"[]", "json: cannot unmarshal array into Go value"),
        (rb'{"a": "\u0000"}', r"Postgres cannot store \u0000"),
    ],
)
async def test_what_is_no_object_is_refused(body, complaint):
    """With what is wrong with it."""
    with pytest.raises(AuthError) as refused:
        await read_parameters(Request(body))
    assert refused.value.message == f"Could not parse request body as JSON: {complaint}"


async def test_a_backslash_before_u0000_is_none():
    """Text about the character is not the character."""
    assert (await read_parameters(Request(rb'{"a": "\\u0000"}'))).text("a") == "\\u0000"
