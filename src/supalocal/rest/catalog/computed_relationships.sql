-- Functions from a row of one relation to rows of another.
select n.nspname as schema,
       p.proname as name,
       an.nspname as table_schema,
       a.relname as table_name,
       rn.nspname as target_schema,
       r.relname as target_name,
       not p.proretset or p.prorows = 1 as to_one
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_class a on a.reltype = p.proargtypes[0]
join pg_namespace an on an.oid = a.relnamespace
join pg_class r on r.reltype = p.prorettype
join pg_namespace rn on rn.oid = r.relnamespace
where p.pronargs = 1
  and a.reltype <> 0
  and a.relkind in ('r', 'v', 'm', 'f', 'p')
  and r.relkind in ('r', 'v', 'm', 'f', 'p')
  and n.nspname not in ('pg_catalog', 'information_schema')
