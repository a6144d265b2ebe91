"""All SQL that Realtime sends: fixed texts, and texts built from names that the catalog itself quoted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from supalocal.realtime.filters import Operator

if TYPE_CHECKING:
    from supalocal.realtime.tables import Column, Table

SETTINGS = "-c timezone=UTC -c datestyle=ISO -c plan_cache_mode=force_generic_plan -c jit=off"
"""Values render by these, as on the real server; plans are made once, not five times, after each change of role."""

MIRROR_PUBLICATION = "select realtime.mirror_publication(%s)"
MIRROR_PREFIX = "supalocal_"
VISIBLE_ROWS = "select realtime.visible_rows(%s, %s::jsonb, %s::jsonb)"
ROLE_EXISTS = "select quote_ident(%s)::regrole"
PUBLICATION_EXISTS = "select exists (select from pg_publication where pubname = %s)"
VALID_PATTERN = "select '' ~ %s"

TABLES = """
select c.oid::int8, n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), c.relrowsecurity, coalesce(
  (select json_agg(json_build_array(
      a.attname, t.typname, format_type(a.atttypid, null), coalesce(a.attnum = any(i.indkey), false)) order by a.attnum)
   from pg_attribute a join pg_type t on t.oid = a.atttypid
   left join pg_index i on i.indrelid = c.oid and i.indisprimary
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.oid = any(%s::oid[])
"""

SELECTABLE = """
select pair.role, pair.oid::int8, coalesce(array_agg(a.attname), '{}')
from jsonb_to_recordset(%s) as pair(role text, oid oid)
join pg_roles r on r.rolname = pair.role
join pg_attribute a on a.attrelid = pair.oid and a.attnum > 0 and not a.attisdropped
where has_column_privilege(r.oid, pair.oid, a.attnum, 'select')
group by 1, 2
"""

PUBLISHED = """
select c.oid::int8, coalesce(
  (select json_agg(json_build_array(
      a.attname, format_type(a.atttypid, null), has_column_privilege(%(role)s, c.oid, a.attnum, 'select'),
      (select coalesce(json_agg(distinct o.oprname), '[]') from pg_operator o
       where o.oprleft = a.atttypid and o.oprname in ('~~', '~', '~*') and o.oprresult = 'boolean'::regtype
         and (o.oprname = '~~' or o.oprright = a.atttypid))) order by a.attnum)
   from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]')
from pg_publication_tables p
join pg_namespace n on n.nspname = p.schemaname
join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
where p.pubname = %(publication)s and n.nspname like %(schema)s escape '' and c.relname like %(table)s escape ''
order by c.oid
"""

_SYMBOLS = {
    Operator.EQ: "=",
    Operator.NEQ: "<>",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LIKE: "~~",
    Operator.ILIKE: "~~*",
    Operator.MATCH: "~",
    Operator.IMATCH: "~*",
    Operator.IS_DISTINCT: "is distinct from",
}


def like_pattern(name: str) -> str:
    """Return the pattern that a binding's schema or table stands for."""
    return "%" if name == "*" else name


def cast(sql_type: str) -> str:
    """Return a query that fails as the database does when its one parameter is no value of the type."""
    return f"select to_jsonb(%s::{_escaped(sql_type)})"


def list_length(sql_type: str) -> str:
    """Return a query for the length of an array literal of the type."""
    return f"select coalesce(jsonb_array_length(to_jsonb(%s::{_escaped(sql_type)}[])), 0)"


def rendering(sql_types: Sequence[str]) -> str:
    """Return a query that takes one text[] per type and gives each back as the JSON texts of its values."""
    columns = (
        f"(select array_agg(to_jsonb(v::{_escaped(sql_type)})::text order by n)"
        " from unnest(%s::text[]) with ordinality u(v, n))"
        for sql_type in sql_types
    )
    return f"select {', '.join(columns)}"


def comparisons(asked: Sequence[tuple[Operator, str]]) -> str:
    """Return a query of two parameters (a value and what it is compared with) per operator and type."""
    return f"select array[{', '.join(_comparison(operator, _escaped(sql_type)) for operator, sql_type in asked)}]"


def _comparison(operator: Operator, sql_type: str) -> str:
    if operator is Operator.IN:
        return f"(%s::{sql_type} = any(%s::{sql_type}[]))"
    return f"(%s::{sql_type} {_SYMBOLS[operator]} %s::{sql_type})"


def visible_statement(table: Table) -> str:
    """Return the name under which `prepare_visible` prepares the table's look-up."""
    return f"supalocal_visible_{table.oid}"


def prepare_visible(table: Table) -> str:
    """Return the statement that finds, of the keys given as JSON, the numbers of those the current role sees.

    A scalar sub-select keeps the planner on the primary key's index, which a join would leave for a scan.
    """
    columns = ", ".join(f"k{number} {column.sql_type}" for number, column in enumerate(table.key))
    matches = " and ".join(f"t.{_identifier(column)} = k.k{number}" for number, column in enumerate(table.key))
    return (
        f"prepare {visible_statement(table)}(jsonb) as select coalesce(jsonb_agg(k.n), '[]')"
        f" from jsonb_to_recordset($1) as k(n int, {columns})"
        f" where (select true from {table.sql_name} t where {matches} limit 1)"
    )


def deallocate_visible(oid: int) -> str:
    """Return the statement that forgets a table's look-up."""
    return f"deallocate supalocal_visible_{oid}"


def _identifier(column: Column) -> str:
    return '"' + column.name.replace('"', '""') + '"'


def _escaped(sql_type: str) -> str:
    return sql_type.replace("%", "%%")
