"""A table that changes belong to, as the catalog describes it."""

from dataclasses import dataclass

from supalocal.realtime.pgoutput import Action


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type_name` is pg_type.typname, `sql_type` what stands in a cast (without length).

    `is_key` says whether the log knows the column as a part of the key, `is_primary` whether the catalog does: it may
    have changed since, and a deferrable key is none to the log. `formula` is the expression of a stored generated
    column, and `inputs` are the columns that it reads.
    """

    name: str
    type_name: str
    sql_type: str
    is_key: bool
    is_primary: bool = False
    type_oid: int = 0
    formula: str | None = None
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table in catalog order of its columns; `sql_name` is quoted and qualified, `actions` are those published."""

    oid: int
    schema: str
    name: str
    sql_name: str
    has_row_security: bool
    columns: tuple[Column, ...]
    actions: frozenset[Action] = frozenset(Action)

    @property
    def key(self) -> tuple[Column, ...]:
        """The primary key's columns; empty without one."""
        return tuple(column for column in self.columns if column.is_key)
