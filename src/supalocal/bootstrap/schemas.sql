-- The schemas of a hosted project, who may look into them, and the publication that Realtime reads.

create schema if not exists extensions authorization postgres;
create schema if not exists graphql_public authorization supabase_admin;
create schema if not exists auth authorization supabase_admin;
create schema if not exists realtime authorization supabase_admin;

grant usage on schema public, extensions, graphql_public, auth, realtime
to postgres, anon, authenticated, service_role;
grant usage on schema auth to supabase_auth_admin;
grant create on schema public, extensions to postgres;

do $$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end
$$;
alter publication supabase_realtime owner to postgres;
