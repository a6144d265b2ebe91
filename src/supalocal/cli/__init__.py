"""The commands. What they are called is in `options`; what one does, in the module of its name."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from supalocal.cli.options import parser
from supalocal.errors import SupalocalError

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a failure that was explained, 2 a wrong option."""
    options = parser().parse_args(arguments)
    command = importlib.import_module(f"{__name__}.{options.command}")
    try:
        return int(command.run(options))
    except SupalocalError as exc:
        sys.stderr.write(f"supalocal: {exc}\n")
        return 1
