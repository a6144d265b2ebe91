"""A JSON body as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supalocal.rest.schema import Name
from supalocal.rest.sql.text import Value, Values, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY = Name("", "pgrst_body")


class Payloads:
    """Writes the FROM clause that turns JSON into rows named pgrst_body."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def rows(
        self,
        text: Value,
        typed: Sequence[tuple[str, str]],
        *,
        is_object: bool,
        defaults: Sequence[tuple[str, str]] | None = None,
        first_only: bool = False,
    ) -> str:
        kind, document, filled = "json", "pgrst_payload.json_data", ""
        if defaults is not None:
            kind, document, filled = "jsonb", "pgrst_json_defs.val", self._with_defaults(defaults, is_object=is_object)
        columns = ", ".join(quoted(name) for name, _ in typed)
        if typed:
            types = ", ".join(f"{quoted(name)} {kind_of}" for name, kind_of in typed)
            rows = f"{kind}_to_record{'' if is_object else 'set'}({document}) as _({types})"
        else:
            rows = "(values (1)) _" if is_object else f"{kind}_array_elements({document}) _"
        limit = " limit 1" if first_only else ""
        return (
            f"from (select {self._values.add(text)}::{kind} as json_data) pgrst_payload, {filled}"
            f"lateral (select {columns} from {rows}{limit}) pgrst_body"
        )

    def _with_defaults(self, defaults: Sequence[tuple[str, str]], *, is_object: bool) -> str:
        # A default is SQL that the table's owner wrote; the catalog gives it with all names qualified.
        pairs = ", ".join(f"{self._values.add(name)}::text, {expression}" for name, expression in defaults)
        built = f"jsonb_build_object({pairs})"
        if is_object:
            return f"lateral (select {built} || pgrst_payload.json_data as val) pgrst_json_defs, "
        return (
            f"lateral (select jsonb_agg({built} || elem) as val "
            "from jsonb_array_elements(pgrst_payload.json_data) elem) pgrst_json_defs, "
        )
