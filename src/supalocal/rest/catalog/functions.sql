-- Functions of the exposed schemas ($1) that can be called by name, or that take one unnamed document.
with recursive bases as (
  select oid, typbasetype, oid as base from pg_type
  union all
  select b.oid, t.typbasetype, t.oid from bases b join pg_type t on t.oid = b.typbasetype
),
arguments as (
  select p.oid,
         json_agg(
           json_build_array(
             coalesce(a.name, ''),
             format_type(a.type, null),
             case a.type
               when 'bit'::regtype then 'bit varying'
               when 'bit[]'::regtype then 'bit varying[]'
               when 'character'::regtype then 'character varying'
               when 'character[]'::regtype then 'character varying[]'
               else format_type(a.type, null)
             end,
             a.position <= p.pronargs - p.pronargdefaults,
             coalesce(a.mode = 'v', false)
           )
           order by a.position
         ) as list,
         case count(*) - count(nullif(a.name, ''))
           when 0 then true
           when 1 then count(*) = 1 and (array_agg(a.type))[1] in
             ('bytea'::regtype, 'json'::regtype, 'jsonb'::regtype, 'text'::regtype, 'xml'::regtype)
           else false
         end as callable
  from pg_proc p
  cross join unnest(p.proargnames, p.proargtypes, p.proargmodes) with ordinality as a(name, type, mode, position)
  where a.type is not null
  group by p.oid
)
select n.nspname as schema,
       p.proname as name,
       coalesce(a.list, '[]') as parameters,
       tn.nspname as result_schema,
       coalesce(c.relname, t.typname) as result_name,
       p.proretset as returns_set,
       t.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false) as returns_rows,
       p.provolatile = 'v' as is_volatile,
       coalesce(p.proconfig, '{}') as settings
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join bases b on b.oid = p.prorettype and b.typbasetype = 0
join pg_type t on t.oid = b.base
join pg_namespace tn on tn.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid
left join arguments a on a.oid = p.oid
where p.prokind = 'f'
  and t.oid not in ('trigger'::regtype, 'event_trigger'::regtype)
  and coalesce(a.callable, true)
  and n.nspname = any ($1)
order by p.oid
