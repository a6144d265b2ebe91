-- Names of relations and their columns by number, for reading the rules of views.
select c.oid::text as relation, n.nspname as schema, c.relname as name,
       json_object_agg(a.attnum, a.attname) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
group by 1, 2, 3
