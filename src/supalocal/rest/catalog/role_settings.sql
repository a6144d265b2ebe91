-- `alter role ... set`, of the roles that this login may become, as far as it may set them itself.
select r.rolname as role, array_agg(s.setting) as settings
from pg_roles r
join pg_db_role_setting d on d.setrole = r.oid and d.setdatabase in (0, (select oid from pg_database where datname = current_database()))
cross join unnest(d.setconfig) as s(setting)
left join pg_settings g on g.name = split_part(s.setting, '=', 1)
where pg_has_role(current_user, r.oid, 'member')
  and (g.context is null or g.context = 'user' or has_parameter_privilege(current_user, g.name, 'set'))
group by 1
