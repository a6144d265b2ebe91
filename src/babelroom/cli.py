"""The command line: `babelroom demo`."""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import os
import signal
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from babelroom.client import Babelroom
from babelroom.config import Settings
from babelroom.demo.conversation import BadConversation, Conversation, Languages, parse_languages, read
from babelroom.demo.local import LocalUnavailable, local_supabase
from babelroom.demo.play import Outcome, Pace, play
from babelroom.demo.recordings import read_folder
from babelroom.demo.screen import PlainScreen, Screen
from babelroom.errors import BabelroomError, ConfigurationError

_MISUSED, _INTERRUPTED = 2, 130
_TYPING_SECONDS = 0.6
_SHOWN_FAULTS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 if all went well, 1 if not, 2 if the command or its input was malformed."""
    options = _parser().parse_args(arguments)
    _prepare_process()
    try:
        conversation = _conversation(options)
        return asyncio.run(_demo(conversation, options))
    except BadConversation as error:
        return _complain(error, _MISUSED)
    except (BabelroomError, LocalUnavailable) as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return _complain("Stopped.", _INTERRUPTED)
    except BrokenPipeError:
        # Whoever read along has gone, such as `head`; the interpreter's own last flush must not fail too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="babelroom", description="Live, translated, two-way conversations.")
    parser.add_argument("--version", action="version", version=version("babelroom"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="two people talk, each in their own language",
        description=(
            "Two clients play a conversation through Supabase: a local one that is started for it, or SUPABASE_URL's. "
            "Exits 0 only if every message reached the other side once, in order, translated and displayed."
        ),
    )
    what = demo.add_mutually_exclusive_group()
    what.add_argument("--input", metavar="FILE", help="lines language<TAB>text; - reads standard input")
    what.add_argument("--audio", metavar="DIR", help="recordings, one a turn, named such as 01-en.wav, 02-es.webm")
    demo.add_argument("--langs", metavar="en,es", help="the two languages, if the input does not show both")
    demo.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=15.0, help="for one message; default 15")
    demo.add_argument(
        "--typing",
        metavar="SECONDS",
        type=_seconds,
        help=f"for one line; default {_TYPING_SECONDS} on a terminal, else 0",
    )
    return parser


def _conversation(options: argparse.Namespace) -> Conversation:
    languages = options.langs and parse_languages(options.langs)
    return read_folder(options.audio, languages) if options.audio else read(options.input, languages)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds


def _prepare_process() -> None:
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    # Ended by a service manager, a pipeline or a closed terminal, it tidies up as after Ctrl-C, which a shell ignores
    # for what it runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: signal.raise_signal(signal.SIGINT))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace", line_buffering=True)


async def _demo(conversation: Conversation, options: argparse.Namespace) -> int:
    screen = _screen(conversation.languages)
    typing = options.typing if options.typing is not None else _TYPING_SECONDS * sys.stdout.isatty()
    settings = _settings()
    if options.audio and not settings.openai_api_key:
        raise ConfigurationError(
            "Recordings are transcribed by OpenAI, or by a server that speaks its protocol: set OPENAI_API_KEY, and "
            "OPENAI_BASE_URL for a server of your own."
        )
    async with _supabase(settings, screen) as connect:
        with screen.live():
            outcome = await play(conversation, connect, screen, Pace(typing=typing, patience=options.timeout))
    return _report(conversation, outcome, screen)


@asynccontextmanager
async def _supabase(settings: Settings, screen: Screen) -> AsyncIterator[Callable[[], Babelroom]]:
    """Yield what makes a new client: of the environment's project if there is one, else of a local Supabase."""
    if settings.has_credentials:
        screen.note(f"Using the Supabase project of SUPABASE_URL: {settings.supabase_url}")
        yield Babelroom.connect
        return
    screen.note("SUPABASE_URL is not set: starting a local Supabase ...")
    async with local_supabase() as local:
        yield partial(Babelroom.connect, url=local.url, key=local.key)


def _settings() -> Settings:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        settings = Settings.load()
    if not settings.has_credentials and any("SUPABASE_URL is not set" not in str(each.message) for each in caught):
        raise ConfigurationError("SUPABASE_URL is set, but no key: set SUPABASE_PUBLISHABLE_KEY too, or neither.")
    return settings


def _screen(languages: Languages) -> Screen:
    plain = PlainScreen(sys.stdout.write, languages)
    if not sys.stdout.isatty():
        return plain
    try:
        # The extra [cli] may be missing, and only a terminal needs it.
        from rich.console import Console  # noqa: PLC0415

        from babelroom.demo.panes import Panes  # noqa: PLC0415
    except ImportError:
        plain.note("rich is not installed, so plain lines follow: pip install 'babelroom[cli]' shows both sides live.")
        return plain
    return Panes(Console(), languages)


def _report(conversation: Conversation, outcome: Outcome, screen: Screen) -> int:
    if outcome.hops:
        screen.show_times(outcome.hops)
    for fault in outcome.faults[:_SHOWN_FAULTS]:
        screen.note(fault)
    if len(outcome.faults) > _SHOWN_FAULTS:
        screen.note(f"... and {len(outcome.faults) - _SHOWN_FAULTS} more of the kind.")
    if not outcome.faults:
        screen.note(f"All {len(conversation.lines)} messages arrived: once, in order, translated and displayed.")
    return 1 if outcome.faults else 0


def _complain(sentence: object, code: int) -> int:
    sys.stderr.write(f"babelroom: {sentence}\n")
    return code
