-- Every foreign key, and whether its columns are unique, which makes it one-to-one.
select tn.nspname as schema,
       t.relname as name,
       fn.nspname as target_schema,
       f.relname as target_name,
       k.conname as "constraint",
       p.pairs as columns,
       exists (
         select from pg_constraint u
         where u.conrelid = k.conrelid and u.contype in ('p', 'u') and u.conkey <@ k.conkey and u.conkey @> k.conkey
       ) as one_to_one
from pg_constraint k
join pg_class t on t.oid = k.conrelid
join pg_namespace tn on tn.oid = t.relnamespace
join pg_class f on f.oid = k.confrelid
join pg_namespace fn on fn.oid = f.relnamespace
cross join lateral (
  select json_agg(json_build_array(own.attname, other.attname) order by position) as pairs
  from unnest(k.conkey, k.confkey) with ordinality as keys(own_number, other_number, position)
  join pg_attribute own on own.attrelid = k.conrelid and own.attnum = own_number
  join pg_attribute other on other.attrelid = k.confrelid and other.attnum = other_number
) p
where k.contype = 'f' and k.conparentid = 0
order by k.conrelid, k.conname
