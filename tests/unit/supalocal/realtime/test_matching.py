"""Filters that need no database."""

import pytest

from supalocal.realtime.changes import Change
from supalocal.realtime.filters import parse_filter
from supalocal.realtime.matching import Matcher
from supalocal.realtime.pgoutput import Action
from supalocal.realtime.table import Column, Table

UUID = "aaaaaaaa-0000-4000-8000-000000000001"
TYPES = {"n": "integer", "s": "text", "u": "uuid", "b": "boolean", "j": "jsonb"}


def change(**row):
    columns = tuple(Column(name, sql_type, sql_type, is_key=False) for name, sql_type in TYPES.items())
    table = Table(1, "public", "t", "public.t", has_row_security=False, columns=columns)
    return Change(table, Action.INSERT, 1, "", is_oversized=False, filterable=row, record=row, old_record=None)


@pytest.mark.parametrize(
    ("row", "text", "passes"),
    [
        ({"n": "10"}, "n=gt.9", True),
        ({"n": "10"}, "n=eq.010", True),
        ({"n": "10"}, "n=in.(1,10)", True),
        ({"n": "10"}, "n=not.in.(1,10)", False),
        ({"n": "null"}, "n=neq.1", False),
        ({"n": "null"}, "n=not.eq.1", False),
        ({"n": "null"}, "n=isdistinct.1", True),
        ({"n": "null"}, "n=is.null", True),
        ({"s": '"null"'}, "s=is.null", False),
        ({"s": '"a,b"'}, 's=eq."a,b"', True),
        ({"s": '"a"'}, "s=in.()", False),
        ({"u": f'"{UUID}"'}, f"u=eq.{UUID.upper()}", True),
        ({"b": "true"}, "b=is.true", True),
        ({"b": "null"}, "b=is.unknown", True),
        ({"b": "null"}, "b=not.is.true", True),
        ({"j": "null"}, "j=is.null", True),
        ({"n": "1"}, "s=is.null", False),
        ({"n": "1", "s": '"x"'}, "n=eq.1,s=eq.y", False),
    ],
)
def test_plain_comparisons(row, text, passes):
    """Null matches nothing but is and isdistinct; a missing column matches nothing at all."""
    assert Matcher().passes(change(**row), parse_filter(text)) is passes
