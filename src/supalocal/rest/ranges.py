"""Row ranges: `limit=` and `offset=`, the Range header, and the Content-Range that answers them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from supalocal.rest.errors import RestError

_HEADER = re.compile(r"([0-9]{1,4000})-([0-9]{0,4000})\Z")


@dataclass(frozen=True, slots=True)
class Range:
    """Rows `first` to `last`, both included and counted from 0; no `last` means to the end."""

    first: int = 0
    last: int | None = None

    @property
    def is_empty(self) -> bool:
        return self.last is not None and self.last < self.first

    @property
    def is_limit_zero(self) -> bool:
        """Whether `limit=0` asked for no rows, which is allowed, unlike other empty ranges."""
        return self.last == -1

    @property
    def limit(self) -> int | None:
        return None if self.last is None else self.last - self.first + 1

    def overlap(self, other: Range) -> Range:
        ends = [last for last in (self.last, other.last) if last is not None]
        return Range(max(self.first, other.first), min(ends) if ends else None)

    def capped(self, most: int | None) -> Range:
        """At most `most` rows of it."""
        if most is None or self.is_limit_zero:
            return self
        return self.overlap(Range(self.first, self.first + most - 1))


EVERY_ROW = Range()
NO_ROW = Range(0, -1)


def limit_range(text: str) -> Range:
    number = _integer(text)
    return EVERY_ROW if number is None else Range(0, number - 1)


def offset_range(text: str) -> Range:
    number = _integer(text)
    return EVERY_ROW if number is None else Range(number)


def limit_and_offset(limit: Range, offset: Range) -> Range:
    return Range(offset.first, offset.first + (limit.limit or 0) - 1)


def _integer(text: str) -> int | None:
    # Python reads no number of more than 4300 digits.
    return int(text) if re.fullmatch(r"\s*-?[0-9]{1,4000}\s*", text, re.ASCII) else None


def header_range(value: str | None) -> Range:
    """The rows that a Range header names; one that cannot be read names all."""
    match = _HEADER.match(value or "")
    if not match:
        return EVERY_ROW
    return Range(int(match[1]), int(match[2]) if match[2] else None)


def top_level_range(asked: Range, header: Range) -> Range:
    """The rows of the whole answer; raises PGRST103 if the two together can hold none."""
    if asked.is_limit_zero:
        return NO_ROW
    both = asked.overlap(header)
    if not both.is_empty:
        return both
    if header.is_empty:
        raise unsatisfiable("The lower boundary must be lower than or equal to the upper boundary in the Range header.")
    raise unsatisfiable("Limit should be greater than or equal to zero.")


def unsatisfiable(details: str) -> RestError:
    return RestError(416, "PGRST103", "Requested range not satisfiable", details)


def out_of_bounds(first: int, total: int) -> RestError:
    return unsatisfiable(f"An offset of {first} was requested, but there are only {total} rows.")


def content_range(first: int, last: int, total: int | None) -> str:
    """The Content-Range header; `total` is None where it was not counted."""
    rows = f"{first}-{last}" if total != 0 and first <= last else "*"
    return f"{rows}/{'*' if total is None else total}"


def range_status(first: int, page: int, total: int | None) -> int:
    """200 for all rows, 206 for a part of a known total, 416 for a start behind it."""
    if total is None:
        return 200
    if first > total:
        return 416
    return 206 if page < total else 200
