"""`babelroom worker`: its options, its signals, and what it shows its operator."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from babelroom.config import Settings
from babelroom.worker.progress import Progress
from babelroom.worker.reports import reporting
from babelroom.worker.translation_worker import (
    CONCURRENCY,
    LEASE,
    TranslationWorker,
    checked_concurrency,
    checked_lease,
)

HELP = "translates what waits in the queue"
DESCRIPTION = (
    "Translates the messages that wait, beside as many other workers as there are, by the project's secret key "
    "(SUPABASE_SECRET_KEY). Ctrl-C or SIGTERM lets it finish what it has begun, and gives back the rest; a second one "
    "ends it at once. It tells how it goes on standard error: one line on a terminal, else a JSON object a line."
)

_CUT_SHORT = 130


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--concurrency",
        metavar="N",
        type=_concurrency,
        default=CONCURRENCY,
        help="sessions that are translated at a time; default %(default)s",
    )
    parser.add_argument(
        "--lease",
        metavar="SECONDS",
        type=_lease,
        default=LEASE,
        help="how long a message stays with a worker that falls silent; default %(default)g",
    )
    parser.add_argument("--once", action="store_true", help="end when nothing is left to claim")


def run(options: argparse.Namespace) -> int:
    """Work, and return the exit code.

    Raises:
        BabelroomError: it cannot work at all; with --once, also when it cannot now.
    """
    worker = TranslationWorker(Settings.load_secret(), concurrency=options.concurrency, lease=options.lease)
    return asyncio.run(_work(worker, once=options.once))


def _concurrency(text: str) -> int:
    return checked_concurrency(int(text))


def _lease(text: str) -> float:
    return checked_lease(float(text))


async def _work(worker: TranslationWorker, *, once: bool) -> int:
    with reporting(worker.progress, sys.stderr):
        working = asyncio.ensure_future(worker.run_once() if once else worker.run())
        _end_on_signals(worker, working)
        try:
            await working
        except asyncio.CancelledError:
            return _CUT_SHORT
    return 0


def _end_on_signals(worker: TranslationWorker, working: asyncio.Future[Progress | None]) -> None:
    """The first lets it finish; the next one does not."""
    asked = False

    def end() -> None:
        nonlocal asked
        if asked:
            working.cancel()
        asked = True
        worker.stop()

    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, end)
