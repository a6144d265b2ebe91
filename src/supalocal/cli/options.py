"""What can be asked on the command line."""

from __future__ import annotations

import argparse

DESCRIPTION = """\
A local Supabase without Docker: a real Postgres, and REST, Realtime and Auth for supabase-py and supabase-js.

  supalocal start           start it for the project in this directory; Ctrl-C stops it
  supalocal start --memory  the same, and nothing is kept afterwards
  supalocal keys --env      lines for your .env.local

While it runs, from another terminal:

  supalocal status          where it is reached, and its keys
  supalocal migrate         apply migration files that are new
  supalocal reset           make the database anew: all migrations, then the seed
  supalocal stop            stop it
"""
_START = """\
Start the stack for a project and keep it running until Ctrl-C or `supalocal stop`.

The first start makes a database in .supalocal (or --data); every start applies the migrations that are new and runs
seed files that never ran. The API and the database listen on this machine only: the keys and the database's passwords
are the same on every machine, public knowledge. The database has two logins, both with the password "postgres":
`postgres`, who as on hosted Supabase is no superuser, and `supabase_admin`, who is.
"""
_RESET = """\
Make the database anew: everything in it is dropped, then all migrations are applied and all seed files run.

A running stack keeps its addresses and keys, and is usable again when the command returns; whoever is connected is cut
off. If none runs, the database in .supalocal (or --data) is made anew for the next start.
"""
_MIGRATE = """\
Apply the files of supabase/migrations that are new to the running stack; REST sees their tables at once.
If none runs there is nothing to do: `supalocal start` applies them.
"""
_STOP = "Stop the running stack of a project, and return when it is gone. If none runs, that is fine too."
_STATUS = "Show what runs for a project: addresses, keys, process. Exits with 1 if nothing does."
_KEYS = """\
Print the address and the keys: those of the running stack, or those that `supalocal start` would have.
    supalocal keys --env >> .env.local
"""
_HIGHEST_PORT = 65535
_SHORTEST_SECRET = 32


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; the result's `command` is the name of one."""
    made = argparse.ArgumentParser(
        "supalocal", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = made.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")

    def command(name: str, summary: str, description: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=summary,
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.add_argument("--project", metavar="DIR", help="directory with the supabase/ folder (default: this one)")
        return added

    _add_start(command("start", "start the stack and keep it running until Ctrl-C", _START))
    _add_status(command("status", "show what runs: addresses, keys, process", _STATUS))
    _add_which(command("stop", "stop the running stack", _STOP))
    _add_reset(command("reset", "make the database anew: all migrations, then the seed", _RESET))
    _add_which(command("migrate", "apply new migration files to the running stack", _MIGRATE))
    _add_keys(command("keys", "print the address and the keys, also as lines for .env.local", _KEYS))
    return made


def _add_start(start: argparse.ArgumentParser) -> None:
    add = start.add_argument
    add("--port", type=_port, help="API port, 0 for a free one (default: config.toml's, else 54321)")
    add("--db-port", type=_port, help="database port, 0 for a free one (default: config.toml's, else 54322)")
    add(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where the API listens (default: %(default)s, this machine only; 0.0.0.0 lets the whole network in; the "
        "database always stays on this machine)",
    )
    place = start.add_mutually_exclusive_group()
    place.add_argument("--data", metavar="DIR", help="where the database is kept (default: .supalocal in the project)")
    place.add_argument("--memory", action="store_true", help="keep nothing: each start is a first start")
    place.add_argument(
        "--db-url",
        metavar="URL",
        help="use this Postgres, given by a superuser's URL, instead of our own; it needs wal_level=logical",
    )
    add(
        "--jwt-secret",
        type=_secret,
        metavar="SECRET",
        help=f"sign and check tokens with this, at least {_SHORTEST_SECRET} bytes (default: the Supabase CLI's local "
        "one); the two JWT keys change with it",
    )
    add(
        "--seed",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="run seed files that did not run yet (default: yes)",
    )
    add(
        "--realtime-quirks",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="copy the awkward truths of the real Realtime: char(n) cut to one character, and a filter or policy that "
        "fails losing a moment's changes for everyone (default: yes)",
    )
    add(
        "--realtime-limits",
        action="store_true",
        help="refuse in Realtime what a hosted project's default limits refuse, as slowly: 200 clients, 100 joins and "
        "100 events a second, and pauses of 2 and 5 seconds before an error",
    )
    output = start.add_mutually_exclusive_group()
    output.add_argument("--quiet", action="store_true", help="print nothing but warnings and errors")
    output.add_argument("--json", action="store_true", help="print one line of JSON when ready")


def _add_which(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=_port, help="API port of the stack meant, if several of the project run")


def _add_status(status: argparse.ArgumentParser) -> None:
    _add_which(status)
    status.add_argument("--json", action="store_true", help="print one line of JSON")


def _add_reset(reset: argparse.ArgumentParser) -> None:
    _add_which(reset)
    reset.add_argument("--data", metavar="DIR", help="if none runs: where the database is kept (default: .supalocal)")
    reset.add_argument(
        "--yes", action="store_true", help="needed where the stack runs on a --db-url: that database is dropped"
    )


def _add_keys(keys: argparse.ArgumentParser) -> None:
    keys.add_argument("--env", action="store_true", help="as lines for .env.local")
    keys.add_argument("--port", type=_port, help="API port (default: the running stack's, else config.toml's)")
    keys.add_argument("--jwt-secret", type=_secret, metavar="SECRET", help="default: the running stack's")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to {_HIGHEST_PORT} is.")
    return int(text)


def _secret(text: str) -> str:
    if len(text.encode()) < _SHORTEST_SECRET:
        raise argparse.ArgumentTypeError(f"the secret must have at least {_SHORTEST_SECRET} bytes (RFC 7518).")
    return text
