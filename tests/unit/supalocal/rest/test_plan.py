"""What PostgREST refuses to plan, and in which order it looks."""

import pytest

from supalocal.rest.configuration import Configuration
from supalocal.rest.errors import RestError
from supalocal.rest.plan import make_plan
from supalocal.rest.request import RawRequest, parse_request
from supalocal.rest.schema import Function, Name, Schema, Table, TableColumn

ITEMS = Name("public", "items")
PING = Function(
    Name("public", "ping"),
    (),
    Name("pg_catalog", "text"),
    returns_set=False,
    returns_rows=False,
    is_volatile=False,
)
SCHEMA = Schema(
    tables={ITEMS: Table(ITEMS, {"id": TableColumn("id", "text", None)}, ("id",))},
    functions={PING.name: (PING,)},
)


def refusal(method: str, path: str, accept: str, prefer: str) -> str:
    request = parse_request(RawRequest(method, path, "", {"accept": accept}, (prefer,), b""), Configuration(), ())
    with pytest.raises(RestError) as caught:
        make_plan(request, SCHEMA)
    return caught.value.code


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("GET", "items", "PGRST107"), ("GET", "rpc/ping", "PGRST107"), ("DELETE", "items", "PGRST122")],
)
def test_which_of_two_mistakes_is_named(method, path, code):
    """A write looks at the preferences before the form of its answer, all else after it."""
    assert refusal(method, path, "text/x", "handling=strict, nonsense") == code


def test_asking_for_a_functions_methods_is_planned_as_its_call():
    """What would be refused of a call is refused of OPTIONS too."""
    assert refusal("OPTIONS", "rpc/ping", "text/x", "") == "PGRST107"
