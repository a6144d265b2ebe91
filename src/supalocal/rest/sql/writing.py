"""Writes as SQL: insert, upsert, update, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supalocal.rest.read import Read
from supalocal.rest.request import Action
from supalocal.rest.sql.conditions import Conditions
from supalocal.rest.sql.payload import BODY, Payloads
from supalocal.rest.sql.text import Values, qualified, quoted, reference

if TYPE_CHECKING:
    from supalocal.rest.plan import Write

# Inserted rows are counted up; those that turn out to be updates are counted down again.
INSERTED = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)"
_COUNT_INSERTED = f"set_config('pgrst.inserted', ({INSERTED} + 1)::text, true) <> '0'"
_COUNT_UPDATED = f"set_config('pgrst.inserted', ({INSERTED} - 1)::text, true) <> '-1'"


class Writing:
    """Writes what changes rows; values go to `values`."""

    def __init__(self, values: Values) -> None:
        self._conditions = Conditions(values)
        self._payloads = Payloads(values)

    def write(self, write: Write) -> str:
        if write.action is Action.UPDATE:
            return self._update(write)
        table = qualified(write.table.name)
        if write.action is Action.DELETE:
            return f"delete from {table}{self._write_where(write)} {_returned(write)}"
        return self._insert(write)

    def _insert(self, write: Write) -> str:
        columns = ", ".join(quoted(column.name) for column in write.columns)
        into = f"insert into {qualified(write.table.name)}{f'({columns})' if columns else ''}"
        conditions = [_COUNT_INSERTED] if write.conflict and write.conflict.merges else []
        selected = ", ".join(f"{qualified(BODY)}.{quoted(column.name)}" for column in write.columns)
        rows = f"select {selected} {self._payload(write)}"
        body = Read(BODY, None, None, ())
        conditions += [self._conditions.where(body, condition) for condition in write.where]
        where = f" where {' and '.join(conditions)}" if conditions else ""
        return f"{into} {rows}{where}{_on_conflict(write)} {_returned(write)}"

    def _update(self, write: Write) -> str:
        table = qualified(write.table.name)
        if not write.columns:
            # SQL knows no update of no columns; an empty answer of the right columns stands for it.
            name = quoted(write.table.name.name)
            shown = ", ".join(reference(name, column) for column in write.returning) or "null"
            return f"select {shown} from {table} where false"
        assigned = ", ".join(
            f"{quoted(column.name)} = {qualified(BODY)}.{quoted(column.name)}" for column in write.columns
        )
        return f"update {table} set {assigned} {self._payload(write)}{self._write_where(write)} {_returned(write)}"

    def _write_where(self, write: Write) -> str:
        target = Read(write.table.name, None, write.table, ())
        conditions = [self._conditions.where(target, condition) for condition in write.where]
        return f" where {' and '.join(conditions)}" if conditions else ""

    def _payload(self, write: Write) -> str:
        typed = [(column.name, column.type) for column in write.columns]
        defaults = None
        if write.apply_defaults:
            defaults = [(column.name, column.default) for column in write.columns if column.default is not None]
        is_object = bool(write.payload and write.payload.is_object)
        text = write.payload.text if write.payload else None
        return self._payloads.rows(text, typed, is_object=is_object, defaults=defaults)


def _returned(write: Write) -> str:
    table = qualified(write.table.name)
    return f"returning {', '.join(reference(table, column) for column in write.returning) or '1'}"


def _on_conflict(write: Write) -> str:
    if not write.conflict:
        return ""
    target = f" on conflict ({', '.join(quoted(column) for column in write.conflict.columns)}) "
    if not (write.conflict.merges and write.columns):
        return f"{target}do nothing"
    assigned = ", ".join(f"{quoted(column.name)} = excluded.{quoted(column.name)}" for column in write.columns)
    return f"{target}do update set {assigned} where {_COUNT_UPDATED}"
