"""Says which extensions there are, when a project asks for another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg
    from psycopg import AsyncConnection

# Postgres 16 and later; before.
_MISSING = re.compile(
    r'extension "(?P<name>.+)" is not available|could not open extension control file ".*/(?P<file>.+)\.control".*'
)
_AVAILABLE = b"""
select string_agg(distinct name, ', ' order by name) from pg_available_extension_versions
where trusted or not superuser or current_setting('is_superuser')::boolean
"""


async def explanation(connection: AsyncConnection[Any], error: psycopg.Error) -> str | None:
    """What to tell whose statement failed for want of an extension; None after any other error."""
    found = _MISSING.fullmatch(error.diag.message_primary or "")
    if found is None:
        return None
    [(available,)] = await (await connection.execute(_AVAILABLE)).fetchall()
    name = found["name"] or found["file"]
    return (
        f'supalocal has no extension "{name}". It has {available}. Take the statement out, or start with --db-url and '
        "a Postgres that has it."
    )
