"""The command `supalocal`."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a failure that was explained, 2 a wrong option."""
    # Until a command knows what it must undo, Ctrl-C just ends us: no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from supalocal import cli  # noqa: PLC0415  not before Ctrl-C is safe

        return cli.run(arguments)
    except ModuleNotFoundError as exc:
        missing = (exc.name or "").partition(".")[0]
        if missing == "supalocal":
            raise
        sys.stderr.write(
            f"supalocal: the package {missing} is missing; install it with pip install 'babelroom[local]'\n"
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
