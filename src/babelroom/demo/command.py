"""`babelroom demo`: its options, its Supabase, its screen, its verdict."""

from __future__ import annotations

import argparse
import asyncio
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from babelroom.client import Babelroom
from babelroom.config import Settings
from babelroom.demo.conversation import Conversation, Languages, parse_languages, read
from babelroom.demo.local import local_supabase
from babelroom.demo.play import Outcome, Pace, play
from babelroom.demo.recordings import read_folder
from babelroom.demo.screen import PlainScreen, Screen
from babelroom.errors import ConfigurationError

HELP = "two people talk, each in their own language"
DESCRIPTION = (
    "Two clients play a conversation through Supabase: a local one that is started for it, or SUPABASE_URL's. "
    "Exits 0 only if every message reached the other side once, in order, translated and displayed."
)

_TYPING_SECONDS = 0.6
_SHOWN_FAULTS = 20


def add_options(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--input", metavar="FILE", help="lines language<TAB>text; - reads standard input")
    what.add_argument("--audio", metavar="DIR", help="recordings, one a turn, named such as 01-en.wav, 02-es.webm")
    parser.add_argument("--langs", metavar="en,es", help="the two languages, if the input does not show both")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=15.0, help="for one message; default 15")
    parser.add_argument(
        "--typing",
        metavar="SECONDS",
        type=_seconds,
        help=f"for one line; default {_TYPING_SECONDS} on a terminal, else 0",
    )


def run(options: argparse.Namespace) -> int:
    """Play the conversation and return the exit code.

    Raises:
        BadConversation: the input is malformed.
        BabelroomError: it could not even begin; LocalUnavailable: nor could a local Supabase be started for it.
    """
    languages = options.langs and parse_languages(options.langs)
    conversation = read_folder(options.audio, languages) if options.audio else read(options.input, languages)
    return asyncio.run(_demo(conversation, options))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds


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
