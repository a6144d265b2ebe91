"""The nearest of some names to a misspelt one, for the hints in errors."""

from __future__ import annotations

import re
from collections import Counter
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A name that the caller may not be meant to know is only suggested if they all but had it.
NAME_SCORE = 0.75
USUAL_SCORE = 0.33
_MOST_CANDIDATES = 50
_NOT_A_WORD = re.compile(r"[^a-zA-Z0-9À-ÿ, ]+")


def nearest(name: str, known: Iterable[str], least: float) -> str | None:
    """The known name that is most like `name`, if its score (1 is equal) is at least `least`."""
    names = {other.lower(): other for other in known}
    wanted = name.lower()
    if wanted in names:
        return names[wanted]
    for size in (3, 2):
        score, found = max(_scores(wanted, list(names), size), key=lambda pair: pair[0], default=(-1.0, ""))
        if score >= least:
            return names[found]
    return None


def _scores(wanted: str, names: list[str], size: int) -> list[tuple[float, str]]:
    # First by common letter groups, then the best of those by how many letters must change.
    grams = _grams(wanted, size)
    likely = sorted(((_cosine(grams, _grams(name, size)), name) for name in names), key=lambda pair: -pair[0])
    return [(_likeness(wanted, name), name) for score, name in likely[:_MOST_CANDIDATES] if score > 0]


def _grams(text: str, size: int) -> Counter[str]:
    padded = f"-{_NOT_A_WORD.sub('', text)}-".ljust(size, "-")
    return Counter(padded[n : n + size] for n in range(len(padded) - size + 1))


def _cosine(left: Counter[str], right: Counter[str]) -> float:
    common = sum(count * right[gram] for gram, count in left.items())
    return common / (_length(left) * _length(right))


def _length(grams: Counter[str]) -> float:
    return sqrt(sum(count * count for count in grams.values()))


def _likeness(left: str, right: str) -> float:
    return 1 - _edits(left, right) / max(len(left), len(right))


def _edits(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for n, letter in enumerate(left, 1):
        diagonal, row[0] = row[0], n
        for m, other in enumerate(right, 1):
            diagonal, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, diagonal + (letter != other))
    return row[-1]
