"""The Prefer header."""

import pytest

from supalocal.rest.errors import RestError
from supalocal.rest.preferences import NONE, parse_preferences


def test_preferences_of_several_headers():
    """Preferences may be spread over headers and commas."""
    read = parse_preferences(("return=representation, count=exact", "missing=default"), ())
    assert (read.returned, read.count, read.missing) == ("representation", "exact", "default")


def test_the_first_of_a_kind_counts():
    """A second preference of the same kind is ignored."""
    assert parse_preferences(("count=exact,count=planned",), ()).count == "exact"


def test_no_header_prefers_nothing():
    """Without a header nothing is preferred or applied."""
    assert (parse_preferences((), ()), NONE.applied()) == (NONE, None)


def test_applied_in_postgrests_order():
    """Preference-Applied lists in a fixed order."""
    read = parse_preferences(("count=exact,return=minimal,resolution=merge-duplicates",), ())
    assert read.applied("resolution", "returned") == "resolution=merge-duplicates, return=minimal, count=exact"


def test_only_drops_what_a_request_does_not_apply():
    """A read applies no return preference."""
    assert parse_preferences(("return=minimal,count=exact",), ()).applied() == "count=exact"


def test_max_affected_needs_strict():
    """Without handling=strict max-affected is ignored."""
    assert parse_preferences(("max-affected=1",), ()).strict_max_affected is None


def test_a_timezone_must_be_known():
    """Only time zones that the database knows are applied."""
    assert parse_preferences(("timezone=Nowhere/Else",), ("Europe/Berlin",)).timezone is None


def test_a_name_alone_is_unknown():
    """Preferences with a value of their own are none without it."""
    assert parse_preferences(("timezone=UTC, timezone, max-affected",), ("UTC",)).invalid == (
        "timezone",
        "max-affected",
    )


def test_strict_refuses_the_unknown():
    """With handling=strict an unknown preference is PGRST122."""
    with pytest.raises(RestError) as caught:
        parse_preferences(("handling=strict, a=1, b",), ()).refuse_invalid()
    assert (caught.value.code, caught.value.details) == ("PGRST122", "Invalid preferences: a=1, b")


def test_lenient_ignores_the_unknown():
    """Without strict an unknown preference says nothing."""
    parse_preferences(("a=1",), ()).refuse_invalid()
