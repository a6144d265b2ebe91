-- The roles of a hosted project. Passwords are public knowledge, as with the Supabase CLI's local database.

do $$
declare
  role_name text;
begin
  foreach role_name in array array[
    'supabase_admin', 'postgres', 'anon', 'authenticated', 'service_role', 'authenticator', 'supabase_auth_admin'
  ] loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      execute format('create role %I', role_name);
    end if;
  end loop;

  -- A server given by URL may have been made with a superuser called postgres; that one stays what it is.
  if not (select rolsuper from pg_catalog.pg_roles where rolname = 'postgres') then
    alter role postgres login nosuperuser createdb createrole replication bypassrls password 'postgres';
  end if;
  execute format('alter database %I owner to postgres', current_database());
end
$$;

alter role supabase_admin login superuser createdb createrole replication bypassrls password 'postgres';
alter role anon nologin noinherit;
alter role authenticated nologin noinherit;
alter role service_role nologin noinherit bypassrls;
alter role authenticator login noinherit;
alter role supabase_auth_admin login noinherit createrole;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
-- REST is set up by `alter role authenticator set pgrst.... = ...`; on hosted, supautils lets postgres say so.
grant authenticator to postgres with admin option;
grant set on parameter
  pgrst.db_aggregates_enabled, pgrst.db_anon_role, pgrst.db_extra_search_path, pgrst.db_max_rows, pgrst.db_plan_enabled,
  pgrst.db_pre_request, pgrst.db_schemas, pgrst.db_tx_end, pgrst.openapi_mode, pgrst.db_root_spec
to postgres;
-- Who owns auth.users may drop its triggers and give it policies; on hosted, supautils lets postgres do so.
grant supabase_auth_admin to postgres;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;

alter role postgres set search_path = "$user", public, extensions;
alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = '60s';
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
