"""The command line. Each command (`babelroom demo`, ...) is a module; here is what they share."""

from __future__ import annotations

import argparse
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Protocol

from babelroom import figures
from babelroom.demo import command as demo
from babelroom.demo.conversation import BadConversation
from babelroom.demo.local import LocalUnavailable
from babelroom.errors import BabelroomError
from babelroom.worker import command as worker


class Command(Protocol):
    """What each command's module has."""

    HELP: str
    DESCRIPTION: str

    def add_options(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace) -> int:
        """Return the exit code."""
        ...


COMMANDS: dict[str, Command] = {"demo": demo, "worker": worker, "stats": figures}

_MISUSED, _INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 if all went well, 1 if not, 2 if the command or its input was malformed."""
    options = _parser().parse_args(arguments)
    _prepare_process()
    try:
        return COMMANDS[options.command].run(options)
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
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, command in COMMANDS.items():
        command.add_options(commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION))
    return parser


def _prepare_process() -> None:
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    # Ended by a service manager, a pipeline or a closed terminal, it tidies up as after Ctrl-C, which a shell ignores
    # for what it runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: signal.raise_signal(signal.SIGINT))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace", line_buffering=True)


def _complain(sentence: object, code: int) -> int:
    sys.stderr.write(f"babelroom: {sentence}\n")
    return code
