"""The command `supalocal`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from supalocal.errors import ProjectError, SupalocalError
from supalocal.keys import JWT_SECRET, Keys
from supalocal.project import Config, Project
from supalocal.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION = """\
A local Supabase without Docker: a real Postgres, and REST, Realtime and Auth for supabase-py and supabase-js.

  supalocal start           start it for the project in this directory; Ctrl-C stops it
  supalocal start --memory  the same, and nothing is kept afterwards
  supalocal keys --env      lines for your .env.local
"""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LABEL_WIDTH = 18


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a failure that was explained, 2 a wrong option."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SupalocalError as exc:
        sys.stderr.write(f"supalocal: {exc}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "supalocal", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_start(commands.add_parser("start", help="start the stack and keep it running until Ctrl-C"))
    _add_keys(commands.add_parser("keys", help="print the URL and the keys of the local stack"))
    return parser


def _add_start(start: argparse.ArgumentParser) -> None:
    start.set_defaults(run=_start)
    add = start.add_argument
    add("--project", metavar="DIR", help="directory with the supabase/ folder (default: this directory)")
    add("--port", type=_port, help="API port, 0 for a free one (default: config.toml's, else 54321)")
    add("--db-port", type=_port, help="database port, 0 for a free one (default: config.toml's, else 54322)")
    place = start.add_mutually_exclusive_group()
    place.add_argument("--data", metavar="DIR", help="where the database is kept (default: .supalocal in the project)")
    place.add_argument("--memory", action="store_true", help="keep nothing: each start is a first start")
    place.add_argument(
        "--db-url", metavar="URL", help="use this Postgres, given by a superuser's URL (wal_level=logical)"
    )
    add(
        "--jwt-secret", metavar="SECRET", help="sign and check tokens with this (default: the Supabase CLI's local one)"
    )
    add("--seed", action=argparse.BooleanOptionalAction, default=True, help="run seed files that did not run yet")
    output = start.add_mutually_exclusive_group()
    output.add_argument("--quiet", action="store_true", help="print nothing but errors")
    output.add_argument("--json", action="store_true", help="print one line of JSON when ready")


def _add_keys(keys: argparse.ArgumentParser) -> None:
    keys.set_defaults(run=_keys)
    keys.add_argument("--env", action="store_true", help="as lines for .env.local")
    keys.add_argument("--port", type=_port, default=Config().port, help="API port of the stack (default: %(default)s)")
    keys.add_argument("--jwt-secret", metavar="SECRET", default=JWT_SECRET, help="the secret that the stack runs with")


def _port(text: str) -> int:
    highest = 65535
    if not text.isdecimal() or int(text) > highest:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to {highest} is.")
    return int(text)


def _start(options: argparse.Namespace) -> int:
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    """Keep a stack running until a signal asks for its end; a signal before it is ready ends it too."""
    _end_on_signal()
    begun = time.perf_counter()
    with contextlib.suppress(asyncio.CancelledError):
        async with _stack(options) as stack:
            if not options.quiet:
                sys.stdout.write(_as_json(stack) if options.json else _as_lines(stack, time.perf_counter() - begun))
                sys.stdout.flush()
            await asyncio.Event().wait()


def _end_on_signal() -> None:
    """Cancel this task at the first signal; a second one must not interrupt the orderly end."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        for number in _SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        if task is not None:
            task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, end)


def _stack(options: argparse.Namespace) -> Stack:
    folder = Path(options.project or ".")
    try:
        project = Project.read(folder)
    except ProjectError:
        if options.project or _has_project(folder):
            raise
        project = Project()
        if not options.quiet:
            sys.stderr.write("supalocal: no supabase/ folder here; the database starts empty.\n")
    home = project.folder.resolve().parent if project.folder else folder.resolve()
    return Stack(
        project.folder,
        data=None if options.memory else options.data or home / ".supalocal",
        port=project.config.port if options.port is None else options.port,
        db_port=project.config.db_port if options.db_port is None else options.db_port,
        db_url=options.db_url,
        jwt_secret=options.jwt_secret,
        seed=options.seed,
    )


def _has_project(folder: Path) -> bool:
    return (folder / "supabase").is_dir()


def _facts(stack: Stack) -> dict[str, str]:
    """The names are those of the Supabase CLI's `status -o json`."""
    return {
        "API_URL": stack.url,
        "DB_URL": stack.db_url,
        "PUBLISHABLE_KEY": stack.publishable_key,
        "SECRET_KEY": stack.secret_key,
        "ANON_KEY": stack.anon_key,
        "SERVICE_ROLE_KEY": stack.service_role_key,
        "JWT_SECRET": stack.keys.jwt_secret,
    }


def _as_json(stack: Stack) -> str:
    return json.dumps(_facts(stack)) + "\n"


def _as_lines(stack: Stack, seconds: float) -> str:
    applied = len(stack.applied)
    news = f", {applied} new migration{'s' if applied != 1 else ''}" if applied else ""
    lines = "".join(f"  {name.replace('_', ' '):{_LABEL_WIDTH}}{value}\n" for name, value in _facts(stack).items())
    return f"supalocal is ready after {seconds:.1f} s{news}.\n\n{lines}\nCtrl-C stops it.\n"


def _keys(options: argparse.Namespace) -> int:
    keys = Keys(options.jwt_secret)
    variables = {
        "SUPABASE_URL": f"http://127.0.0.1:{options.port}",
        "SUPABASE_PUBLISHABLE_KEY": keys.publishable,
        "SUPABASE_SECRET_KEY": keys.secret,
        "SUPABASE_ANON_KEY": keys.anon,
        "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
    }
    form = "{}={}\n" if options.env else "{:27}{}\n"
    sys.stdout.write("".join(form.format(name, value) for name, value in variables.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
