-- Changes whenever a relation, column, key, function or role setting does.
select md5(string_agg(part, ',')) as fingerprint
from (
  select count(*) || ':' || max(oid) || ':' || sum(hashtext(xmin::text || oid)::bigint) as part from pg_class
  where relkind in ('r', 'v', 'm', 'f', 'p')
  union all
  select count(*) || ':' || coalesce(sum(hashtext(attrelid || '.' || attnum || xmin::text)::bigint), 0) from pg_attribute
  where attrelid >= 16384
  union all
  select count(*) || ':' || max(oid) || ':' || sum(hashtext(xmin::text || oid)::bigint) from pg_proc
  union all
  select count(*) || ':' || coalesce(sum(hashtext(xmin::text || oid)::bigint), 0) from pg_constraint
  union all
  select count(*) || ':' || coalesce(sum(hashtext(xmin::text || setrole)::bigint), 0) from pg_db_role_setting
) parts
