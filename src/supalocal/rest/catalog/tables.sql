-- Every table and view, with its primary key; columns only of the exposed schemas ($1).
select n.nspname as schema,
       c.relname as name,
       c.relkind in ('v', 'm') as is_view,
       c.relkind in ('r', 'p') or pg_relation_is_updatable(c.oid::regclass, true) & 8 = 8 as insertable,
       c.relkind in ('r', 'p') or pg_relation_is_updatable(c.oid::regclass, true) & 4 = 4 as updatable,
       c.relkind in ('r', 'p') or pg_relation_is_updatable(c.oid::regclass, true) & 16 = 16 as deletable,
       coalesce(k.columns, '[]') as key,
       coalesce(a.columns, '[]') as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join lateral (
  select json_agg(attname order by position) as columns
  from pg_constraint
  cross join unnest(conkey) with ordinality as keys(number, position)
  join pg_attribute on attrelid = conrelid and attnum = number
  where conrelid = c.oid and contype = 'p'
) k on true
left join lateral (
  select json_agg(
           json_build_array(
             t.attname,
             format_type(t.atttypid, t.atttypmod),
             case
               when y.typbasetype <> 0 and d.adbin is null then pg_get_expr(y.typdefaultbin, 0)
               when t.attidentity = 'd'
                 then format('nextval(%L)', pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), t.attname))
               when t.attgenerated <> '' then null
               else pg_get_expr(d.adbin, d.adrelid)
             end
           )
           order by t.attnum
         ) as columns
  from pg_attribute t
  join pg_type y on y.oid = t.atttypid
  left join pg_attrdef d on d.adrelid = t.attrelid and d.adnum = t.attnum
  where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped and n.nspname = any ($1)
) a on true
where c.relkind in ('r', 'v', 'm', 'f', 'p')
  and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema')
  and n.nspname !~ '^pg_(toast|temp)'
order by 1, 2
