"""A local Supabase for the demo and the smoke test, in memory: gone when they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path


class LocalUnavailable(Exception):
    """No local Supabase can be started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Local:
    url: str
    key: str


@asynccontextmanager
async def local_supabase() -> AsyncIterator[Local]:
    """Start supalocal with this project's migrations on free ports; nothing of it is kept.

    Raises:
        LocalUnavailable: it is not installed, did not start, or the migrations are not here.
    """
    try:
        # The extra [local] may be missing, and only this needs it.
        import supalocal  # noqa: PLC0415
    except ImportError as error:
        raise LocalUnavailable(
            "The local Supabase is not installed: pip install 'babelroom[local]', or set SUPABASE_URL and "
            f"SUPABASE_PUBLISHABLE_KEY to use your own project. ({error})"
        ) from error
    try:
        stack = supalocal.Stack(project=supabase_folder(), port=0, db_port=0, seed=False)
        await stack.start()
    except supalocal.SupalocalError as error:
        raise LocalUnavailable(f"The local Supabase did not start. {error}") from error
    try:
        yield Local(stack.url, stack.publishable_key)
    finally:
        await stack.close()


def supabase_folder(*, module: Path = Path(__file__), here: Path | None = None) -> Path:
    """Return babelroom's own `supabase/` folder: of the checkout that this code runs from, or of the one we are in.

    Raises:
        LocalUnavailable: neither is a checkout of babelroom.
    """
    here = Path.cwd() if here is None else here
    for folder in (*module.resolve().parents, here, *here.parents):
        # Any Supabase project has a folder of that name; this one also has babelroom's sources beside it.
        if (folder / "supabase" / "migrations").is_dir() and (folder / "src" / "babelroom").is_dir():
            return folder / "supabase"
    raise LocalUnavailable(
        "The migrations are not here: babelroom's supabase/ folder comes with its source, not with the installed "
        "package. Run this inside a checkout, or set SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY."
    )
