-- Sessions: two people share a four-digit code; the participants say who is in and in which language.

-- What clients never touch lives in a schema that the API does not expose.
create schema if not exists private;
comment on schema private is 'Counters and trigger functions. Not exposed by the API, no rights for its roles.';
revoke all on schema private from public;

create table public.sessions (
  id uuid primary key default gen_random_uuid(),
  code varchar(4) not null check (code ~ '^[0-9]{4}$'),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '4 hours' check (isfinite(expires_at)),
  is_active boolean not null default true,
  user_count integer not null default 0 check (user_count >= 0),
  last_activity timestamptz not null default now()
);
comment on table public.sessions is 'A conversation that two people find by a four-digit code.';
comment on column public.sessions.code is 'Unique among active sessions; free again when the session is closed. varchar: Realtime cuts char(n) to one character.';
comment on column public.sessions.expires_at is 'From this instant on nobody joins or writes, whether or not the session was closed yet.';
comment on column public.sessions.user_count is 'Participants present. Kept by a trigger on session_participants.';
comment on column public.sessions.last_activity is 'When somebody last joined or left.';

create table public.session_participants (
  session_id uuid not null references public.sessions on delete cascade,
  user_id uuid not null,
  lang varchar(10) check (lang ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$'),
  joined_at timestamptz not null default now() check (isfinite(joined_at)),
  last_seen timestamptz not null default now() check (isfinite(last_seen)),
  left_at timestamptz check (isfinite(left_at)),
  primary key (session_id, user_id)
);
comment on table public.session_participants is 'Who takes part in a session, and in which language.';
comment on column public.session_participants.lang is 'BCP 47 tag. Null: joined by the code alone, without saying who or in which language.';
comment on column public.session_participants.left_at is 'Null while present.';

create unique index idx_sessions_code on public.sessions (code) where is_active;
create index idx_sessions_expires_at on public.sessions (expires_at) where is_active;
-- A closed code is looked up to tell "expired" from "unknown".
create index idx_sessions_closed_code on public.sessions (code) where not is_active;

alter table public.sessions enable row level security;
alter table public.session_participants enable row level security;

-- Open demo mode: whoever holds the public key takes part in every session.
create policy "Anyone can read sessions" on public.sessions for select using (true);
create policy "Anyone can create sessions" on public.sessions for insert with check (true);
create policy "Anyone can update sessions" on public.sessions for update using (true);

create policy "Anyone can read participants" on public.session_participants for select using (true);
create policy "Anyone can join sessions" on public.session_participants for insert with check (true);
create policy "Anyone can update participants" on public.session_participants for update using (true);

-- Security definer: whoever may write participants keeps user_count true, without a right of their own to write it.
create function private.count_participants() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  session uuid := coalesce(new.session_id, old.session_id);
begin
  -- The lock first, then a count with a fresh snapshot: it sees everybody who came before.
  perform from public.sessions s where s.id = session for no key update;
  update public.sessions s
  set user_count = (
        select count(*) from public.session_participants p where p.session_id = session and p.left_at is null
      ),
      last_activity = clock_timestamp()
  where s.id = session;
  return null;
end;
$$;
comment on function private.count_participants() is 'Keeps sessions.user_count at the number of participants present.';

-- Not on last_seen: a sign of life changes neither the count nor last_activity.
create trigger trigger_count_participants
after insert or delete or update of left_at on public.session_participants
for each row execute function private.count_participants();

-- Security definer: sees the session whatever policies hide. Takes no lock on it.
create function private.require_live_session() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  session public.sessions;
begin
  select * into session from public.sessions s where s.id = new.session_id;
  if not found then
    raise sqlstate 'PT404' using
      message = 'Session not found or expired',
      detail = 'There is no session with this id.',
      hint = 'Create a session, or join one by its code.';
  elsif not session.is_active or session.expires_at <= clock_timestamp() then
    raise sqlstate 'PT410' using
      message = 'Session not found or expired',
      detail = 'The session was closed or its time is over.',
      hint = 'Create a new session.';
  end if;
  return new;
end;
$$;
comment on function private.require_live_session() is
  'Refuses a row of an unknown session (PT404) and of one that is closed or expired (PT410), cron or no cron.';

create trigger trigger_participants_live_session
before insert or update of left_at on public.session_participants
for each row when (new.left_at is null)
execute function private.require_live_session();

create function private.keep_session_facts() returns trigger
language plpgsql security invoker set search_path = '' as $$
begin
  if current_user in ('anon', 'authenticated') then
    if tg_op = 'INSERT' then
      new.user_count := 0;
      new.created_at := now();
      new.last_activity := now();
    else
      new.id := old.id;
      new.code := old.code;
      new.user_count := old.user_count;
      new.created_at := old.created_at;
      new.last_activity := old.last_activity;
    end if;
  end if;
  return new;
end;
$$;
comment on function private.keep_session_facts() is
  'Ignores what a client sends for what the database counts and stamps: a front end of the founding spec writes user_count.';

create trigger trigger_sessions_keep_facts
before insert or update on public.sessions
for each row execute function private.keep_session_facts();

create function public.generate_unique_session_code() returns varchar
language plpgsql volatile security invoker set search_path = '' as $$
declare
  drawn varchar(4);
begin
  -- Draws from all codes are uniform among the free ones, and cheap while many are free.
  for attempt in 1..20 loop
    -- 48 random bits of a version 4 UUID: core's strong randomness, no extension.
    drawn := lpad(((('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint) % 10000)::text, 4, '0');
    exit when not exists (
      select from public.sessions s where s.code = drawn and s.is_active and s.expires_at > clock_timestamp()
    );
    drawn := null;
  end loop;
  if drawn is null then
    select lpad(n::text, 4, '0') into drawn
    from generate_series(0, 9999) as n
    where not exists (
      select from public.sessions s
      where s.code = lpad(n::text, 4, '0') and s.is_active and s.expires_at > clock_timestamp()
    )
    order by gen_random_uuid()
    limit 1;
  end if;
  if drawn is null then
    raise sqlstate 'PT409' using
      message = 'No free session code',
      detail = 'All 10,000 codes belong to active sessions.',
      hint = 'Try again when a session has been closed or has expired.';
  end if;
  -- An expired session that nobody closed yet still holds the code in the unique index.
  update public.sessions s set is_active = false
  where s.code = drawn and s.is_active and s.expires_at <= clock_timestamp();
  return drawn;
end;
$$;
comment on function public.generate_unique_session_code() is
  'A code that no live session holds, each free one equally likely. PT409 when all 10,000 are in use.';

create function public.create_session(request_id uuid default gen_random_uuid()) returns public.sessions
language plpgsql volatile security invoker set search_path = '' as $$
declare
  session public.sessions;
begin
  for attempt in 1..1000 loop
    select * into session from public.sessions s where s.id = request_id;
    exit when found;
    -- Nothing is inserted when somebody took the code, or the same request arrived, a moment before.
    insert into public.sessions (id, code) values (request_id, public.generate_unique_session_code())
    on conflict do nothing
    returning * into session;
    exit when found;
  end loop;
  if session.id is null then
    raise sqlstate 'PT409' using
      message = 'The session cannot be created',
      detail = 'The request_id belongs to a session that you may not see, or all codes are being taken at this moment.',
      hint = 'Try again with a new request_id.';
  end if;
  return session;
end;
$$;
comment on function public.create_session(uuid) is
  'Creates a session, whose id is request_id; the same request again returns the first session. PT409 when no code is free.';

create function public.join_session(code text, user_id uuid default null, lang text default null) returns public.sessions
language plpgsql volatile security invoker set search_path = '' as $$
declare
  session public.sessions;
begin
  if (user_id is null) <> (lang is null) then
    raise sqlstate 'PT400' using
      message = 'A participant needs both a user_id and a lang',
      detail = 'Only one of the two was given.',
      hint = 'Give both, or neither to be counted without a name.';
  end if;
  select * into session from public.sessions s where s.code = join_session.code and s.is_active;
  if not found then
    select * into session from public.sessions s
    where s.code = join_session.code and not s.is_active
    order by s.created_at desc
    limit 1;
  end if;
  if not found then
    raise sqlstate 'PT404' using
      message = 'Session not found or expired',
      detail = format('No session has the code %s.', left(to_jsonb(join_session.code)::text, 20)),
      hint = 'Ask the other person for the code again.';
  end if;

  -- A closed or expired session is refused by the trigger on this table.
  insert into public.session_participants as p (session_id, user_id, lang)
  values (session.id, coalesce(join_session.user_id, gen_random_uuid()), join_session.lang)
  on conflict on constraint session_participants_pkey do update
  set lang = excluded.lang,
      joined_at = case when p.left_at is null then p.joined_at else now() end,
      last_seen = now(),
      left_at = null;

  select * into session from public.sessions s where s.id = session.id;
  return session;
end;
$$;
comment on function public.join_session(text, uuid, text) is
  'Makes the user a participant of the live session with this code and returns it. Joining twice counts once; without a user every call counts. PT404 unknown code, PT410 closed or expired.';

create function public.leave_session(session_id uuid, user_id uuid default null) returns public.sessions
language plpgsql volatile security invoker set search_path = '' as $$
declare
  session public.sessions;
begin
  update public.session_participants p set left_at = now()
  where p.session_id = leave_session.session_id
    and p.left_at is null
    and p.user_id = coalesce(leave_session.user_id, (
      select n.user_id from public.session_participants n
      where n.session_id = leave_session.session_id and n.left_at is null and n.lang is null
      order by n.joined_at
      limit 1
      for update skip locked
    ));
  select * into session from public.sessions s where s.id = leave_session.session_id;
  return session;
end;
$$;
comment on function public.leave_session(uuid, uuid) is
  'Takes the user out of the session (or, without a user, one who joined without a name) and returns it. Leaving twice, or an unknown session, does nothing.';

revoke all on public.sessions, public.session_participants from public, anon, authenticated;
grant select, insert, update on public.sessions to anon, authenticated;
grant select, insert (session_id, user_id, lang), update (lang, joined_at, last_seen, left_at)
  on public.session_participants to anon, authenticated;
grant all on public.sessions, public.session_participants to service_role;

revoke all on function public.generate_unique_session_code(), public.create_session(uuid),
  public.join_session(text, uuid, text), public.leave_session(uuid, uuid) from public;
grant execute on function public.generate_unique_session_code(), public.create_session(uuid),
  public.join_session(text, uuid, text), public.leave_session(uuid, uuid) to anon, authenticated, service_role;
