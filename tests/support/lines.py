"""Lines that people say, as tables: everyday ones in three languages, and those that talk to a translator."""

import itertools
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Line(NamedTuple):
    """What is said, and what it is in another language."""

    source: str
    target: str
    text: str
    translation: str


class Injection(NamedTuple):
    """A line that talks to the translator, and what one replies that obeys it."""

    line: Line
    obeying: list[str]


def _rows(name):
    head, *rows = ((HERE / name).read_text("utf-8")).splitlines()
    for row in rows:
        cells = [cell.replace("\\n", "\n") for cell in row.split("\t")]
        yield dict(zip(head.split("\t"), cells, strict=True))


def everyday():
    """What people say, in all six directions of English, Spanish and Portuguese."""
    return [
        Line(source, target, row[source], row[target])
        for row in _rows("everyday.tsv")
        for source, target in itertools.permutations(row, 2)
    ]


def injections():
    """What people say to make a translator do something else, each with its honest translation."""
    return [
        Injection(Line(row["source"], row["target"], row["text"], row["translation"]), row["obeying"].split(" || "))
        for row in _rows("injections.tsv")
    ]
