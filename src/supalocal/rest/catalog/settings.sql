-- `alter role authenticator set pgrst.... = ...`; what is set for this database alone counts more.
select distinct on (name) substr(split_part(setting, '=', 1), 7) as name, substr(setting, strpos(setting, '=') + 1) as value
from pg_db_role_setting
cross join unnest(setconfig) as s(setting)
cross join split_part(setting, '=', 1) as name
where setrole = session_user::regrole
  and setdatabase in (0, (select oid from pg_database where datname = current_database()))
  and name like 'pgrst.%'
order by name, setdatabase desc
