-- Realtime: the three tables that subscribers may listen to.

do $$
begin
  -- Hosted projects and `supabase start` have the publication already.
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end;
$$;

alter publication supabase_realtime add table public.messages;
alter publication supabase_realtime add table public.user_activity;
alter publication supabase_realtime add table public.sessions;
