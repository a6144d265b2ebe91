"""What a request asks for, before the database is known."""

import pytest

from supalocal.rest.configuration import Configuration
from supalocal.rest.errors import RestError
from supalocal.rest.request import RawRequest, Request, parse_request

CONFIGURATION = Configuration(schemas=("public", "reporting"))
PROFILES = {"accept-profile": "reporting", "content-profile": "public"}


def asked(method: str, headers: dict[str, str]) -> Request:
    return parse_request(RawRequest(method, "totals", "", headers, (), b""), CONFIGURATION, ())


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_accept_profile_chooses_the_schema_to_look_at(method):
    """Who sends nothing says which schema with Accept-Profile."""
    assert asked(method, PROFILES).name.schema == "reporting"


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_content_profile_chooses_the_schema_to_write_to(method):
    """Who changes something says where with Content-Profile."""
    assert asked(method, PROFILES).name.schema == "public"


def test_the_schema_is_judged_before_the_method():
    """A method that is none is not even looked at where the schema is unknown."""
    with pytest.raises(RestError) as caught:
        asked("FOO", {"accept-profile": "nope"})
    assert caught.value.code == "PGRST106"


def test_an_encoded_slash_is_part_of_a_name():
    """The path is split before it is decoded."""
    assert parse_request(RawRequest("GET", "a%2Fb%20c", "", {}, (), b""), CONFIGURATION, ()).name.name == "a/b c"
