"""Accept headers."""

import pytest

from supalocal.rest.errors import RestError
from supalocal.rest.media import PLAN, Form, Media, negotiate


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json; charset=utf-8"])
def test_json_is_the_usual_form(accept):
    """No Accept, any and JSON are JSON."""
    assert negotiate(accept) == Media(Form.JSON)


def test_weights_decide():
    """The type with the most weight that we have is given."""
    assert negotiate("text/html, text/csv;q=0.5, application/json;q=0.9") == Media(Form.JSON)


@pytest.mark.parametrize(
    "name",
    ["application/vnd.pgrst.object+json", "application/vnd.pgrst.object", "Application/Vnd.PgRst.Object+json"],
)
def test_one_object(name):
    """The names of the singular type mean one object, in any case."""
    assert negotiate(name).content_type == "application/vnd.pgrst.object+json; charset=utf-8"


def test_stripped_nulls():
    """nulls=stripped is repeated in the content type."""
    media = negotiate("application/vnd.pgrst.array+json;nulls=stripped")
    assert media.content_type == "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"


@pytest.mark.parametrize("accept", ["Application/vnd.PgRst.Object+json;NULLS=stripped", 'TEXT/csv;header="no"'])
def test_a_type_is_known_in_any_case(accept):
    """Type and parameter names may be written in capitals."""
    assert negotiate(accept).content_type.startswith(("application/vnd.pgrst.object+json;nulls=stripped", "text/csv"))


@pytest.mark.parametrize(
    ("accept", "named"),
    [
        ("text/x;level=1;q=0.5", "text/x;level=1"),
        ("TEXT/plain;charset=utf-8", "text/plain"),
        (f"{PLAN}+json; options=wal|analyze|x", f'{PLAN}+json; for="application/json"; options=analyze|wal'),
        (f'{PLAN}; for="text/CSV"', f'{PLAN}+text; for="text/csv"'),
    ],
)
def test_a_refusal_names_a_type_as_postgrest_knows_it(accept, named):
    """Only what a type's own parameters mean is repeated; an unknown type is repeated as it came."""
    with pytest.raises(RestError) as caught:
        negotiate(accept)
    assert caught.value.message == f"None of these media types are available: {named}"


@pytest.mark.parametrize("accept", ["image/png", "text/plain", "application/vnd.pgrst.plan+json"])
def test_other_types_are_refused_by_name(accept):
    """What we do not have is 406 and named."""
    with pytest.raises(RestError) as caught:
        negotiate(accept)
    assert caught.value.status == 406
    assert accept in caught.value.message
