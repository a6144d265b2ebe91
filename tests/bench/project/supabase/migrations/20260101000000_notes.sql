-- What the benchmarks write and watch: open to everybody who may log in, or to the members of a room only.

create table public.notes (
  id bigint generated always as identity primary key,
  room int not null default 0,
  body text not null,
  created_at timestamptz not null default now()
);
alter table public.notes enable row level security;
create policy "anyone writes" on public.notes for insert to anon with check (true);

create table public.members (
  room int not null,
  user_id uuid not null,
  primary key (room, user_id)
);
alter table public.members enable row level security;
create policy "members see themselves" on public.members for select to authenticated using (user_id = auth.uid());

create policy "members read" on public.notes for select to authenticated
using (exists (select from public.members where members.room = notes.room and members.user_id = auth.uid()));

grant insert, select on public.notes to anon, authenticated;
grant select on public.members to authenticated;
alter publication supabase_realtime add table public.notes;
