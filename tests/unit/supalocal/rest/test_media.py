"""Accept headers."""

import pytest

from supalocal.rest.errors import RestError
from supalocal.rest.media import Form, Media, negotiate


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json; charset=utf-8"])
def test_json_is_the_usual_form(accept):
    """No Accept, any and JSON are JSON."""
    assert negotiate(accept) == Media(Form.JSON)


def test_weights_decide():
    """The type with the most weight that we have is given."""
    assert negotiate("text/html, text/csv;q=0.5, application/json;q=0.9") == Media(Form.JSON)


@pytest.mark.parametrize("name", ["application/vnd.pgrst.object+json", "application/vnd.pgrst.object"])
def test_one_object(name):
    """Both names of the singular type mean one object."""
    assert negotiate(name).content_type == "application/vnd.pgrst.object+json; charset=utf-8"


def test_stripped_nulls():
    """nulls=stripped is repeated in the content type."""
    media = negotiate("application/vnd.pgrst.array+json;nulls=stripped")
    assert media.content_type == "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"


@pytest.mark.parametrize("accept", ["image/png", "text/plain", "application/vnd.pgrst.plan+json"])
def test_other_types_are_refused_by_name(accept):
    """What we do not have is 406 and named."""
    with pytest.raises(RestError) as caught:
        negotiate(accept)
    assert caught.value.status == 406
    assert accept in caught.value.message
