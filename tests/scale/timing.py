"""How long a statement takes in two databases, measured side by side."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from statistics import median

import psycopg

from tests.scale.statements import Statement

WARM_UP, REPETITIONS = 10, 40
LIMIT = 2.0  # times its time at the small size
STEADY = 20.0  # ms; what takes longer is no longer at the mercy of a busy machine


@dataclass(frozen=True, slots=True)
class Times:
    """Medians in ms."""

    small: float
    full: float

    @property
    def ratio(self) -> float:
        return self.full / self.small


def compare(statement: Statement, small: psycopg.Connection, full: psycopg.Connection, seed: int) -> Times:
    """Measure the statement in both databases by turns, so that whatever else the machine does slows both alike.

    Each run is about other rows, the same in both, and is rolled back. A ratio over the limit is measured once more,
    four times as often, before it counts; unless the statement takes so long that noise cannot explain it.
    """
    for repetitions in (REPETITIONS, 4 * REPETITIONS):
        rng, others = Random(seed), Random(seed)  # noqa: S311  choices, no secrets
        measured = [(run(statement, small, rng), run(statement, full, others)) for _ in range(WARM_UP + repetitions)]
        times = Times(*(median(column) for column in zip(*measured[WARM_UP:], strict=True)))
        if times.ratio <= LIMIT or times.full > STEADY:
            break
    return times


def run(statement: Statement, connection: psycopg.Connection, rng: Random) -> float:
    """Run it once, undone; the ms from sending it to its last row."""
    values = statement.values(rng)
    with connection.transaction(force_rollback=True):
        start = time.perf_counter()
        connection.execute(statement.text, values).fetchall()
        return (time.perf_counter() - start) * 1_000
