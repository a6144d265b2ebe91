"""What is planned once, and what is not."""

import pytest

from supalocal.rest.body import Payload
from supalocal.rest.configuration import Configuration
from supalocal.rest.errors import SchemaError
from supalocal.rest.prepared import Preparation, Prepared
from supalocal.rest.request import RawRequest, parse_payload, parse_request
from supalocal.rest.schema import Name, Schema, Table, TableColumn

ITEMS = Name("public", "items")
TABLE = Table(ITEMS, {name: TableColumn(name, "text", None) for name in ("id", "name")}, ("id",))
SCHEMA = Schema(tables={ITEMS: TABLE})


def prepared(preparation: Preparation, body: bytes, schema: Schema = SCHEMA) -> tuple[Prepared, Payload | None]:
    request = parse_request(RawRequest("POST", "items", "", {}, (), body), Configuration(), ())
    payload = parse_payload(request, body)
    return preparation.prepare(request, payload, schema), payload


def test_bodies_with_the_same_keys_share_a_plan():
    """Only their values differ, and these travel beside the SQL."""
    preparation = Preparation()
    first, _ = prepared(preparation, b'{"id": "1", "name": "a"}')
    second, payload = prepared(preparation, b'{"name": "{an object}", "id": "2"}')
    assert second is first
    assert payload.fill(first.statements[0].values) == ('{"name": "{an object}", "id": "2"}',)


@pytest.mark.parametrize("other", [b'{"id": "1"}', b'[{"id": "1", "name": "a"}]'])
def test_bodies_of_another_shape_have_their_own(other):
    """Other keys, or a list in place of an object."""
    preparation = Preparation()
    first, _ = prepared(preparation, b'{"id": "1", "name": "a"}')
    second, _ = prepared(preparation, other)
    assert second.statements[0].text != first.statements[0].text


def test_another_schema_forgets_the_plans():
    """A table that is gone is not written to by an old plan."""
    preparation = Preparation()
    prepared(preparation, b'{"id": "1"}')
    with pytest.raises(SchemaError):
        prepared(preparation, b'{"id": "1"}', Schema())


def test_a_long_query_is_planned_anew():
    """A list of thousands of ids does not come twice; keeping it would only take memory."""
    request = parse_request(RawRequest("GET", "items", f"id=in.({'1,' * 2000}1)", {}, (), b""), Configuration(), ())
    preparation = Preparation()
    assert preparation.prepare(request, None, SCHEMA) is not preparation.prepare(request, None, SCHEMA)
