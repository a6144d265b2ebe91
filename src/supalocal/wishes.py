"""What a stack is asked to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from supalocal.keys import Keys


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of `Stack`, which says what they mean."""

    keys: Keys
    data: Path | None
    host: str
    port: int
    db_port: int
    db_url: str | None
    seed: bool
    cron: bool
    realtime_quirks: bool
    realtime_limits: bool
