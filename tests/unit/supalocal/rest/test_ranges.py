"""Row ranges."""

import pytest

from supalocal.rest.errors import RestError
from supalocal.rest.ranges import EVERY_ROW, NO_ROW, Range, content_range, header_range, range_status, top_level_range


def test_a_header_names_first_and_last():
    """`Range: 0-9` is ten rows."""
    assert header_range("0-9").limit == 10


def test_an_open_header():
    """`Range: 3-` has no end."""
    assert header_range("3-") == Range(3)


@pytest.mark.parametrize("value", [None, "", "items=0-9", "a-b", "-5"])
def test_an_unreadable_header_names_every_row(value):
    """A Range header of another kind is ignored."""
    assert header_range(value) == EVERY_ROW


def test_both_overlap():
    """Limit and header together name the rows in both."""
    assert top_level_range(Range(0, 2), Range(1, 9)) == Range(1, 2)


def test_limit_zero_asks_for_no_row():
    """`limit=0` is an allowed empty range."""
    assert top_level_range(Range(0, -1), EVERY_ROW) == NO_ROW


@pytest.mark.parametrize(("asked", "header"), [(Range(0, -2), EVERY_ROW), (EVERY_ROW, Range(5, 2))])
def test_other_empty_ranges_are_refused(asked, header):
    """A negative limit and a reversed header are 416."""
    with pytest.raises(RestError) as caught:
        top_level_range(asked, header)
    assert (caught.value.status, caught.value.code) == (416, "PGRST103")


def test_a_range_is_capped():
    """No more rows than allowed, from where it begins."""
    assert Range(5).capped(10) == Range(5, 14)


@pytest.mark.parametrize(
    ("first", "last", "total", "header"),
    [(0, 4, None, "0-4/*"), (0, -1, None, "*/*"), (0, 4, 15, "0-4/15"), (0, -1, 0, "*/0"), (15, 14, 15, "*/15")],
)
def test_content_range(first, last, total, header):
    """The header names the rows given and the total if it is known."""
    assert content_range(first, last, total) == header


@pytest.mark.parametrize(
    ("first", "page", "total", "status"),
    [(0, 5, None, 200), (0, 5, 5, 200), (0, 2, 5, 206), (5, 0, 5, 206), (6, 0, 5, 416)],
)
def test_range_status(first, page, total, status):
    """A part of a known total is 206, a start behind it 416."""
    assert range_status(first, page, total) == status
