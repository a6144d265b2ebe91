-- Activity: who is typing, recording or waiting for a translation right now.

set lock_timeout = '5s';

create table public.user_activity (
  id uuid primary key default gen_random_uuid(),
  session_id uuid not null references public.sessions on delete cascade,
  user_id uuid not null,
  activity_type varchar(20) not null check (activity_type in ('typing', 'recording', 'processing', 'idle')),
  started_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (session_id, user_id)
);
comment on table public.user_activity is 'What each user of a session is doing. Readers take a row older than 5 seconds as idle.';
comment on column public.user_activity.started_at is 'When this activity began. The database''s clock.';
comment on column public.user_activity.updated_at is 'The last sign of it. The database''s clock.';

-- The founding spec's name; the unique constraint finds them too.
create index idx_user_activity_session on public.user_activity (session_id);
-- Idle rows are never stale: without them in the index, looking for stale ones costs nothing when there are none.
create index idx_user_activity_updated on public.user_activity (updated_at) where activity_type <> 'idle';
create index idx_user_activity_idle on public.user_activity (updated_at) where activity_type = 'idle';

alter table public.user_activity enable row level security;

create policy "Anyone can manage activity" on public.user_activity for all using (true);

create function private.stamp_activity() returns trigger
language plpgsql security invoker set search_path = '' as $$
begin
  new.updated_at := clock_timestamp();
  new.started_at := new.updated_at;
  if tg_op = 'UPDATE' then
    new.id := old.id;
    new.session_id := old.session_id;
    new.user_id := old.user_id;
    if new.activity_type = old.activity_type then
      new.started_at := old.started_at;
    end if;
  end if;
  return new;
end;
$$;
comment on function private.stamp_activity() is 'Stamps activity by the database''s clock, whatever the client sent.';

-- Triggers run in the order of their names: a row is put back into its session ("keep") before that is checked ("live").
create trigger trigger_activity_keep_and_stamp
before insert or update on public.user_activity
for each row execute function private.stamp_activity();

create trigger trigger_activity_live_session
before insert or update on public.user_activity
for each row execute function private.require_live_session();

create function public.cleanup_stale_activity() returns trigger
language plpgsql security invoker set search_path = '' as $$
begin
  -- skip locked: a row that somebody is writing is not stale, and waiting for it could deadlock.
  -- A few at a time: nobody's keystroke pays for a crowd that vanished; cron takes the rest. An array, as it is
  -- made once, whatever the plan.
  delete from public.user_activity a
  where a.id = any (array(
    select stale.id from public.user_activity stale
    where stale.updated_at < now() - interval '5 seconds' and stale.activity_type <> 'idle'
    limit 10
    for update skip locked
  ));
  return null;
end;
$$;
comment on function public.cleanup_stale_activity() is 'Deletes a few rows of activity, other than idle, without a sign for 5 seconds.';

create trigger trigger_activity_cleanup
after insert or update on public.user_activity
for each statement execute function public.cleanup_stale_activity();

create function public.get_session_activities(session_id uuid) returns setof public.user_activity
language sql stable security invoker set search_path = '' as $$
  select a.* from public.user_activity a
  where a.session_id = get_session_activities.session_id
    and a.activity_type <> 'idle'
    and a.updated_at > now() - interval '5 seconds'
  order by a.started_at;
$$;
comment on function public.get_session_activities(uuid) is
  'What the users of a session are doing now, by the database''s clock: neither idle nor older than 5 seconds.';

revoke all on public.user_activity from public, anon, authenticated;
grant select, insert, update, delete on public.user_activity to anon, authenticated;
grant all on public.user_activity to service_role;

revoke all on function public.cleanup_stale_activity() from public, anon, authenticated;
revoke all on function private.stamp_activity() from public;
revoke all on function public.get_session_activities(uuid) from public;
grant execute on function public.get_session_activities(uuid) to anon, authenticated, service_role;
