"""All SQL that Realtime sends: fixed texts, and texts built from names that the catalog itself quoted."""

from collections.abc import Sequence

from supalocal.realtime.filters import Operator
from supalocal.realtime.table import Column, Table

SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO"
    # Plans are made once, not five times, after each change of role.
    " -c plan_cache_mode=force_generic_plan -c jit=off"
    # A policy reads the claims again for each row of a scan, but once for an index: four times cheaper on small tables.
    " -c enable_seqscan=off"
)
"""Values render by these, as on the real server, and rows are looked up quickly."""

MIRROR_PUBLICATION = "select realtime.mirror_publication(%s)"
MIRROR_PREFIX = "supalocal_"
MESSAGES_PUBLICATION = "supabase_realtime_messages_publication"
"""What publishes the inserts into realtime.messages; its name on hosted."""
SLOT_EXISTS = "select exists (select from pg_replication_slots where slot_name = %s)"
ROLE_EXISTS = "select quote_ident(%s)::regrole"
SNAPSHOT = "select pg_current_snapshot()::text"
VALID_PATTERN = "select '' ~ %s"

READABLE = "select realtime.readable(%s, %s, %s, %s, %s)"
WRITABLE = "select realtime.writable(%s, %s, %s, %s, %s)"
RENEW_MESSAGE_PARTITIONS = "select realtime.renew_message_partitions()"
REPLAYED = """
select topic, event, 't' as private, id::text, payload::text, '\\x' || encode(binary_payload, 'hex') as binary_payload
from realtime.messages
where topic = %s and private and extension = 'broadcast' and inserted_at >= timezone('utc', to_timestamp(%s / 1000.0))
order by inserted_at desc
limit %s
"""

TABLES = """
select c.oid::int8, n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), c.relrowsecurity,
  array_remove(array[case when pub.pubinsert then 'INSERT' end, case when pub.pubupdate then 'UPDATE' end,
    case when pub.pubdelete then 'DELETE' end], null), coalesce(
  (select json_agg(json_build_array(
      a.attname, t.typname, format_type(a.atttypid, null), coalesce(a.attnum = any(i.indkey) and i.indimmediate, false),
      coalesce(a.attnum = any(i.indkey), false), t.oid::int8,
      case a.attgenerated when 's' then pg_get_expr(d.adbin, c.oid) end,
      (select coalesce(json_agg(i.attname), '[]') from pg_depend p
       join pg_attribute i on i.attrelid = p.refobjid and i.attnum = p.refobjsubid
       where p.classid = 'pg_attrdef'::regclass and p.objid = d.oid and p.refobjid = c.oid
         and p.refobjsubid <> a.attnum)) order by a.attnum)
   from pg_attribute a join pg_type t on t.oid = a.atttypid
   left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum and a.attgenerated <> ''
   left join pg_index i on i.indrelid = c.oid and i.indisprimary
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]')
from pg_publication_tables p join pg_publication pub on pub.pubname = p.pubname
join pg_namespace n on n.nspname = p.schemaname
join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
where p.pubname = %s and c.oid = any(%s::oid[])
"""
TYPES = "select oid::int8, format_type(oid, null) from unnest(%s::oid[]) as oid"

PRIVILEGE_ON = "select has_column_privilege(%s::oid, %s, 'select')"
"""Fails, as the real server's check of each logged column does, when the table has no such column any more."""

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

PUBLISHED_TABLES = "select relid::int8 from pg_get_publication_tables(%s)"

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


def generating(table: Table, inputs: Sequence[str], formulas: Sequence[str]) -> str:
    """Return a query that takes the input columns' values and gives those of the formulas, in text form."""
    types = {column.name: column.sql_type for column in table.columns}
    given = ", ".join(f"%s::{_escaped(types[name])} as {_escaped(_quoted(name))}" for name in inputs)
    escaped = [_escaped(formula) for formula in formulas]
    values = ", ".join(f"case when ({formula}) is not null then format('%%s', {formula}) end" for formula in escaped)
    return f"select array[{values}] from (select {given}) t"


def comparisons(asked: Sequence[tuple[Operator, str]]) -> str:
    """Return a query of two parameters (a value and what it is compared with) per operator and type."""
    return f"select array[{', '.join(_comparison(operator, _escaped(sql_type)) for operator, sql_type in asked)}]"


def _comparison(operator: Operator, sql_type: str) -> str:
    if operator is Operator.IS:
        # Only null is asked of a type that is not boolean, but the value must cast.
        return f"(%s::{sql_type} is null and %s::text = 'null')"
    if operator is Operator.IN:
        return f"(%s::{sql_type} = any(%s::{sql_type}[]))"
    return f"(%s::{sql_type} {_SYMBOLS[operator]} %s::{sql_type})"


def create_look_up(table: Table) -> str:
    """Return the statement that makes the table's look-up: a function of this session alone.

    It takes the xids to wait for, roles and claims (sorted by role: a change of role plans the policies anew), and
    the key columns' values of all rows. It returns `identity * rows + row`, counted from 0, for what each identity
    sees. Policies read the claims as jsonb writes them, which is how the real server keeps them. The one query stays
    planned, and the check costs no round trip per identity.
    """
    arguments = "".join(f", k{number} text[]" for number in range(len(table.key)))
    matches = " and ".join(
        f"t.{_identifier(column)} = k{number}[n]::{column.sql_type}" for number, column in enumerate(table.key)
    )
    return f"""
create function pg_temp.{_look_up(table.oid)}(xids jsonb, roles text[], claims text[]{arguments}) returns int[]
language plpgsql as $look_up$
#variable_conflict use_variable
declare
  was text;
  visible int[] := '{{}}';
begin
  perform realtime.await_visible(xids);
  for i in 1 .. cardinality(roles) loop
    if roles[i] is distinct from was then
      was := pg_catalog.set_config('role', roles[i], true);
    end if;
    perform pg_catalog.set_config('request.jwt.claims', claims[i]::jsonb::text, true);
    for n in 1 .. cardinality(k0) loop
      if exists (select from {table.sql_name} t where {matches}) then
        visible := visible || ((i - 1) * cardinality(k0) + n - 1);
      end if;
    end loop;
  end loop;
  perform pg_catalog.set_config('role', 'none', true);
  return visible;
end
$look_up$"""


def look_up(table: Table) -> str:
    """Return the call of the table's look-up, one parameter for each of its arguments."""
    keys = ", %s::text[]" * len(table.key)
    return f"select pg_temp.{_look_up(table.oid)}(%s::jsonb, %s::text[], %s::text[]{keys})"


def drop_look_up(oid: int) -> str:
    """Return the statement that forgets a table's look-up."""
    return f"drop function pg_temp.{_look_up(oid)}"


def _look_up(oid: int) -> str:
    return f"supalocal_look_up_{oid}"


def _identifier(column: Column) -> str:
    return _quoted(column.name)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _escaped(sql_type: str) -> str:
    return sql_type.replace("%", "%%")
