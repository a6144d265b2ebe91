"""What the database offers: tables, their relationships and functions, as read from the catalog."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from supalocal.rest.configuration import Configuration

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """An object and its schema; an empty schema means a name that exists only inside one statement."""

    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column; `type` as a cast names it, `default` as SQL."""

    name: str
    type: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view, and what may be done to it."""

    name: Name
    columns: Mapping[str, TableColumn]
    key: tuple[str, ...]  # the primary key; a view has that of the table it shows
    is_view: bool = False
    insertable: bool = True
    updatable: bool = True
    deletable: bool = True

    def type_of(self, column: str) -> str | None:
        found = self.columns.get(column)
        return found.type if found else None


class Cardinality(Enum):
    """How many rows of each side belong together; the values are PostgREST's words."""

    MANY_TO_ONE = "many-to-one"
    ONE_TO_ONE = "one-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_MANY = "many-to-many"


@dataclass(frozen=True, slots=True)
class Junction:
    """The table between the two of a many-to-many; its column pairs are (its own, the other table's)."""

    table: Name
    source_constraint: str
    target_constraint: str
    source_columns: tuple[tuple[str, str], ...]
    target_columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Relationship:
    """How rows of `table` lead to rows of `target`; column pairs are (of table, of target)."""

    table: Name
    target: Name
    cardinality: Cardinality
    constraint: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    junction: Junction | None = None
    table_is_view: bool = False
    target_is_view: bool = False
    function: Name | None = None  # computes the target rows instead of a key

    @property
    def is_self(self) -> bool:
        return self.table == self.target

    @property
    def is_to_one(self) -> bool:
        return self.cardinality in {Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_ONE}

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns of `table` that the relationship needs."""
        if self.junction:
            return tuple(column for _, column in self.junction.source_columns)
        return tuple(column for column, _ in self.columns)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function; its name is '' where it has none."""

    name: str
    type: str
    cast: str  # the type that takes a value of any length
    required: bool
    variadic: bool


@dataclass(frozen=True, slots=True)
class Function:
    """One overload of a function."""

    name: Name
    parameters: tuple[Parameter, ...]
    result: Name  # the type that comes back
    returns_set: bool
    returns_rows: bool  # a table row, a composite type or OUT parameters
    is_volatile: bool
    settings: tuple[tuple[str, str], ...] = ()
    isolation: str | None = None

    @property
    def returns_void(self) -> bool:
        return not self.returns_set and self.result == Name("pg_catalog", "void")

    @property
    def returns_scalar(self) -> bool:
        return not self.returns_rows

    @property
    def row_source(self) -> Name:
        """The name under which its result can be selected from and embedded into."""
        return Name(self.name.schema, self.result.name if self.returns_rows else self.name.name)


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """What `alter role ... set` says: it holds in each transaction of the role."""

    settings: tuple[tuple[str, str], ...] = ()
    isolation: str | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """A snapshot of the catalog, and of the settings that stand in it."""

    tables: Mapping[Name, Table] = field(default_factory=dict)
    relationships: Mapping[Name, tuple[Relationship, ...]] = field(default_factory=dict)  # by their table
    functions: Mapping[Name, tuple[Function, ...]] = field(default_factory=dict)
    roles: Mapping[str, RoleSettings] = field(default_factory=dict)
    configuration: Configuration = field(default_factory=Configuration)
    fingerprint: str = ""


EMPTY = Schema()
