-- What a hosted project has from the beginning, where the server has it.

do $$
declare
  wanted text;
begin
  foreach wanted in array array['uuid-ossp', 'pgcrypto', 'pg_stat_statements'] loop
    begin
      set local role postgres; -- who may then drop it, as on hosted
      execute format('create extension if not exists %I with schema extensions', wanted);
    exception
      when insufficient_privilege then
        execute format('create extension if not exists %I with schema extensions', wanted);
      when feature_not_supported or undefined_file then
        null; -- the server lacks it
    end;
    reset role;
  end loop;
end
$$;

-- The real pg_cron, where the server has loaded it for this database. On hosted postgres may create it, and is granted this;
-- elsewhere only a superuser may.
do $$
begin
  if current_setting('cron.database_name', true) is distinct from current_database()
    or current_setting('shared_preload_libraries') !~ '\mpg_cron\M'
    or (select rolsuper from pg_catalog.pg_roles where rolname = 'postgres')
  then
    return;
  end if;
  create extension if not exists pg_cron with schema pg_catalog;
  grant usage on schema cron to postgres with grant option;
  grant all on all functions in schema cron to postgres with grant option;
  grant all on all tables in schema cron to postgres with grant option;
  revoke all on table cron.job from postgres;
  grant select on table cron.job to postgres with grant option;
end
$$;
