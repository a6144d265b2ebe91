-- The rules of the views in the given schemas ($1): they tell which table column each view column shows.
select c.oid::text as view, n.nspname as schema, c.relname as name, r.ev_action::text as rule
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_rewrite r on r.ev_class = c.oid and r.rulename = '_RETURN'
where c.relkind in ('v', 'm') and n.nspname = any ($1)
