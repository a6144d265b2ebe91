"""`babelroom stats`: a session's figures, as a table or as JSON."""

from __future__ import annotations

import argparse
import asyncio
import sys
import warnings
from collections.abc import Iterator
from uuid import UUID

from babelroom.client import Babelroom
from babelroom.results import HOPS, SessionStats

HELP = "tells how long a session's messages took, and what they cost"
DESCRIPTION = (
    "Tells of the session's messages how many there are by status, how long each part of their way took (ms; p50 and "
    "p95 are nearest-rank), and what each model used, with what that costs by a dated price table (BABELROOM_PRICES)."
)
_CODE_LENGTH = 4


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="its id, or its code while it is open")
    parser.add_argument("--json", action="store_true", help="the same as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the figures, and return the exit code.

    Raises:
        BabelroomError: there is no such session, or the project does not answer.
    """
    stats = asyncio.run(_stats(options.session))
    sys.stdout.write(f"{stats.model_dump_json(indent=2)}\n" if options.json else "".join(lines(stats)))
    return 0


def lines(stats: SessionStats) -> Iterator[str]:
    """Yield the table's lines."""
    counts = ", ".join(f"{count} {status.value}" for status, count in sorted(stats.messages.items()))
    yield f"{sum(stats.messages.values())} messages{': ' if counts else ''}{counts}\n"
    if stats.hops:
        yield f"\n{'ms':<20}{'messages':>10}{'p50':>11}{'p95':>11}{'max':>11}\n"
    for name in HOPS:
        if hop := stats.hops.get(name):
            yield f"{name:<20}{hop.messages:>10}{hop.p50:>11.1f}{hop.p95:>11.1f}{hop.max:>11.1f}\n"
    if stats.usage:
        yield f"\n{'model':<20}{'tokens in':>10}{'out':>11}{'audio s':>11}{'USD':>11}\n"
    for use in stats.usage:
        cost = "no price" if use.cost is None else f"{use.cost:.6f}"
        yield f"{use.model:<20}{use.input_tokens:>10}{use.output_tokens:>11}{use.audio_seconds:>11.1f}{cost:>11}\n"
    if stats.usage:
        yield f"{'together':<20}{stats.cost:>43.6f}\n\nPrices as of {stats.prices_as_of}.\n"


async def _stats(session: str) -> SessionStats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are no credentials: the first call says the same
        client = Babelroom.connect()
    async with client as room:
        is_code = len(session) == _CODE_LENGTH
        session_id: UUID | str = (await room.sessions.find_session(session)).id if is_code else session
        return await room.stats(session_id)
