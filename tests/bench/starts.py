"""Seconds from the command line to ready, with new data and with kept data, beside Postgres alone."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from supalocal.server.postgres import Postgres
from tests.bench.report import held, say, spread, told
from tests.bench.server import PROJECT, running

FIRST, WARM = 3.0, 1.0  # seconds
ROUNDS = 5


async def run() -> bool:
    """Start it several times each way, by turns."""
    alone: list[float] = []
    first: list[float] = []
    warm: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            data = Path(folder) / str(number)
            alone.append(await _postgres_alone())
            for times in (first, warm):
                async with running("--data", str(data), project=PROJECT) as server:
                    times.append(server.seconds)
            shutil.rmtree(data)
    say(f"      seconds, lowest / median / highest of {ROUNDS}: first {spread(first)}, warm {spread(warm)}")
    told("initdb and start of Postgres alone, in a running Python", median(alone), "s")
    told("first start, times that", median(first) / median(alone), "")
    return all([held("first start", median(first), "s", most=FIRST), held("warm start", median(warm), "s", most=WARM)])


async def _postgres_alone() -> float:
    begun = time.perf_counter()
    postgres = Postgres()
    await postgres.start()
    seconds = time.perf_counter() - begun
    await postgres.stop()
    return seconds
