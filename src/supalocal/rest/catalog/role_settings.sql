-- `alter role ... set`, of the roles that this login may become, as far as it may set them itself.
select r.rolname as role, array_agg(s.name || '=' || lower(substr(s.setting, strpos(s.setting, '=') + 1))) as settings
from pg_roles r
join pg_db_role_setting d on d.setrole = r.oid
  and d.setdatabase in (0, (select oid from pg_database where datname = current_database()))
cross join lateral (
  select setting, split_part(setting, '=', 1) as name from unnest(d.setconfig) as setting
) s
join pg_settings g on g.name = s.name
where pg_has_role(current_user, r.oid, 'member')
  and (g.context = 'user' or has_parameter_privilege(current_user, g.name, 'set'))
group by 1
