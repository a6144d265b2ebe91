-- Realtime: the three tables that subscribers may listen to.

set lock_timeout = '5s';

do $$
declare
  member text;
begin
  -- Hosted projects and `supabase start` have the publication already.
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  foreach member in array array['messages', 'user_activity', 'sessions'] loop
    if not exists (
      select from pg_catalog.pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = member
    ) then
      execute format('alter publication supabase_realtime add table public.%I', member);
    end if;
  end loop;
end;
$$;
