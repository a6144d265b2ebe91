-- Sessions: two people share a four-digit code; the participants say who is in and in which language.

-- A lock that is not to be had soon is given up: whoever comes later would have to wait behind it.
set lock_timeout = '5s';

-- What clients never touch lives in a schema that the API does not expose.
create schema if not exists private;
comment on schema private is 'Settings, counters, the work queue and trigger functions. Not exposed by the API.';
revoke all on schema private from public;

create table private.settings (
  is_only_row boolean primary key default true check (is_only_row),
  session_retention interval default interval '30 days' check (session_retention >= interval '0'),
  participant_timeout interval not null default interval '2 minutes' check (participant_timeout >= interval '1 minute'),
  max_failures integer not null default 5 check (max_failures > 0),
  max_claims integer not null default 20 check (max_claims > 0),
  retry_delay interval not null default interval '2 seconds' check (retry_delay > interval '0')
);
comment on table private.settings is 'What an operator may change, in one row: update private.settings set ... in the SQL editor.';
comment on column private.settings.session_retention is 'Closed sessions are deleted, with all that belongs to them, so long after their end. Null: never.';
comment on column private.settings.participant_timeout is 'A participant unseen for so long, at least a minute, no longer counts. Clients say every 30 seconds that they are there.';
comment on column private.settings.max_failures is 'A translation that failed so often is not tried again by itself.';
comment on column private.settings.max_claims is 'Nor is a message that so many workers took and never gave back: it may be what ends them.';
comment on column private.settings.retry_delay is 'The pause after a first failure. It doubles with each further one, up to 5 minutes.';
insert into private.settings default values;
alter table private.settings enable row level security;

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
comment on column public.sessions.expires_at is 'From this instant on nobody joins or writes, cron or no cron. Closing a session brings it forward to that moment.';
comment on column public.sessions.user_count is 'Participants present. Kept by triggers on session_participants.';
comment on column public.sessions.last_activity is 'When somebody last joined or left.';

create table public.session_participants (
  session_id uuid not null references public.sessions on delete cascade,
  user_id uuid not null,
  lang varchar(10) check (lang ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$'),
  joined_at timestamptz not null default now() check (isfinite(joined_at)),
  last_seen timestamptz not null default now() check (isfinite(last_seen)),
  left_at timestamptz check (isfinite(left_at)),
  is_away boolean not null default false,
  primary key (session_id, user_id)
);
comment on table public.session_participants is 'Who takes part in a session, and in which language.';
comment on column public.session_participants.lang is 'BCP 47 tag. Null: joined by the code alone, without saying who or in which language.';
comment on column public.session_participants.last_seen is 'The last sign of life, to about 10 seconds.';
comment on column public.session_participants.left_at is 'When they left; null if they did not.';
comment on column public.session_participants.is_away is 'Unseen for settings.participant_timeout: not counted, until the next sign of life. Never true for one without a name.';

create unique index idx_sessions_code on public.sessions (code) where is_active;
create index idx_sessions_expires_at on public.sessions (expires_at) where is_active;
-- A closed code is looked up to tell "expired" from "unknown".
create index idx_sessions_closed_code on public.sessions (code) where not is_active;
create index idx_sessions_ended on public.sessions (expires_at) where not is_active;
create index idx_participants_last_seen on public.session_participants (last_seen)
where left_at is null and not is_away and lang is not null;

alter table public.sessions enable row level security;
alter table public.session_participants enable row level security;

-- Open demo mode: whoever holds the public key takes part in every session.
create policy "Anyone can read sessions" on public.sessions for select using (true);
create policy "Anyone can create sessions" on public.sessions for insert with check (true);
create policy "Anyone can update sessions" on public.sessions for update using (true);

create policy "Anyone can read participants" on public.session_participants for select using (true);
create policy "Whoever sees a session can join it" on public.session_participants
for insert with check (exists (select from public.sessions s where s.id = session_id));
create policy "Whoever sees a session can update its participants" on public.session_participants
for update using (exists (select from public.sessions s where s.id = session_id));

create function private.require_live(session public.sessions, unknown text) returns void
language plpgsql volatile security invoker set search_path = '' as $$
begin
  if session.id is null then
    raise sqlstate 'PT404' using
      message = 'Session not found or expired',
      detail = unknown,
      hint = 'Create a session, or ask the other person for the code again.';
  elsif not session.is_active or session.expires_at <= clock_timestamp() then
    raise sqlstate 'PT410' using
      message = 'Session not found or expired',
      detail = 'The session was closed or its time is over.',
      hint = 'Create a new session.';
  end if;
end;
$$;
comment on function private.require_live(public.sessions, text) is
  'Refuses a session that was not found (PT404, with the given detail) and one that is closed or expired (PT410).';

-- Security definer: sees the session whatever policies hide. Takes no lock on it.
create function private.require_live_session() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  session public.sessions;
begin
  select * into session from public.sessions s where s.id = new.session_id;
  perform private.require_live(session, 'There is no session with this id.');
  return new;
end;
$$;
comment on function private.require_live_session() is
  'Refuses a row of an unknown session (PT404) and of one that is closed or expired (PT410), cron or no cron.';

create function private.keep_session_facts() returns trigger
language plpgsql security invoker set search_path = '' as $$
begin
  if current_user in ('anon', 'authenticated') then
    if tg_op = 'INSERT' then
      new.user_count := 0;
      new.created_at := now();
      new.last_activity := now();
      new.expires_at := least(new.expires_at, now() + interval '24 hours');
    else
      new.id := old.id;
      new.code := old.code;
      new.user_count := old.user_count;
      new.created_at := old.created_at;
      new.last_activity := old.last_activity;
      -- Over is over; and what an operator granted beyond 24 hours stays.
      new.is_active := new.is_active and old.is_active;
      new.expires_at := case
        when old.is_active and old.expires_at > clock_timestamp()
          then least(new.expires_at, greatest(old.expires_at, old.created_at + interval '24 hours'))
        else old.expires_at
      end;
    end if;
  end if;
  if not new.is_active then
    new.expires_at := least(new.expires_at, clock_timestamp());
  end if;
  return new;
end;
$$;
comment on function private.keep_session_facts() is
  'Ignores what a client sends for what the database counts and stamps (a front end of the founding spec writes user_count), and ends a session when it is closed.';

create trigger trigger_sessions_keep_facts
before insert or update on public.sessions
for each row execute function private.keep_session_facts();

create function private.keep_participant_facts() returns trigger
language plpgsql security invoker set search_path = '' as $$
begin
  if current_user in ('anon', 'authenticated') then
    new.joined_at := case when old.left_at is null or new.left_at is not null then old.joined_at else clock_timestamp() end;
    new.last_seen := case when new.last_seen = old.last_seen then old.last_seen else clock_timestamp() end;
    new.left_at := case when new.left_at is not null then coalesce(old.left_at, clock_timestamp()) end;
  end if;
  if new.last_seen > old.last_seen then
    new.is_away := false;
  end if;
  return new;
end;
$$;
comment on function private.keep_participant_facts() is
  'Stamps by the database''s clock, whatever a client sent; a participant seen again is not away.';

create trigger trigger_participants_keep_facts
before update on public.session_participants
for each row execute function private.keep_participant_facts();

create trigger trigger_participants_live_session
before insert or update of left_at, last_seen on public.session_participants
for each row when (new.left_at is null)
execute function private.require_live_session();

-- Security definer: whoever may write participants keeps user_count true, without a right of their own to write it.
create function private.count_participants() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  session public.sessions;
begin
  -- The lock first, then a count with a fresh snapshot: it sees everybody who came before.
  select * into session from public.sessions s
  where s.id = coalesce(new.session_id, old.session_id)
  for no key update;
  -- Whoever waited for the lock may find that the session was closed meanwhile.
  if new.left_at is null and (tg_op = 'INSERT' or (tg_op = 'UPDATE' and old.left_at is not null)) then
    perform private.require_live(session, 'There is no session with this id.');
  end if;
  update public.sessions s
  set user_count = (
        select count(*) from public.session_participants p
        where p.session_id = session.id and p.left_at is null and not p.is_away
      ),
      -- Going out of sight and coming back is neither joining nor leaving.
      last_activity = case when tg_op = 'UPDATE' and old.left_at is not distinct from new.left_at
        then s.last_activity else clock_timestamp() end
  where s.id = session.id;
  return null;
end;
$$;
comment on function private.count_participants() is
  'Keeps sessions.user_count at the number of participants present; refuses one who joins when the session is over.';

create trigger trigger_participants_count
after insert or delete on public.session_participants
for each row execute function private.count_participants();

-- A sign of life alone changes no count.
create trigger trigger_participants_recount
after update on public.session_participants
for each row when (old.left_at is distinct from new.left_at or old.is_away is distinct from new.is_away)
execute function private.count_participants();

create function private.mark_absent(sessions uuid[]) returns integer
language plpgsql volatile security invoker set search_path = '' as $$
declare
  marked integer;
begin
  -- skip locked: a row that somebody is writing is being seen, and waiting for it could deadlock.
  update public.session_participants p set is_away = true
  where (p.session_id, p.user_id) in (
    select absent.session_id, absent.user_id from public.session_participants absent
    where absent.session_id = any(sessions)
      and absent.left_at is null and not absent.is_away and absent.lang is not null
      and absent.last_seen < now() - (select s.participant_timeout from private.settings s)
    for no key update skip locked
  );
  get diagnostics marked = row_count;
  return marked;
end;
$$;
comment on function private.mark_absent(uuid[]) is
  'Marks the participants of these sessions as away who were not seen for settings.participant_timeout; returns how many.';

-- Security definer: clients neither read the settings nor say who is away.
create function private.notice_absent() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.mark_absent(array[new.session_id]);
  return null;
end;
$$;
comment on function private.notice_absent() is
  'Whoever shows a sign of life finds out who of the same session did not: right also without cron.';

create trigger trigger_participants_notice_absent
after insert or update of last_seen on public.session_participants
for each row execute function private.notice_absent();

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
    select free.code into drawn
    from (
      select lpad(n::text, 4, '0') as code from generate_series(0, 9999) as n
      except
      select s.code from public.sessions s where s.is_active and s.expires_at > clock_timestamp()
    ) free
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
  wanted uuid := coalesce(request_id, gen_random_uuid());
  session public.sessions;
begin
  for attempt in 1..1000 loop
    select * into session from public.sessions s where s.id = wanted;
    exit when found;
    -- Nothing is inserted when somebody took the code, or the same request arrived, a moment before.
    insert into public.sessions (id, code) values (wanted, public.generate_unique_session_code())
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
    select * into session from public.sessions s where s.code = join_session.code and not s.is_active limit 1;
  end if;
  perform private.require_live(session, case
    when join_session.code ~ '^[0-9]{4}$' then format('No session has the code %s.', join_session.code)
    else 'A session code has four digits.'
  end);

  -- A newcomer takes the session's lock first, which counting needs anyway: a crowd that shares it before (by the foreign
  -- key) takes several times as long.
  perform from public.sessions s
  where s.id = session.id and not exists (
    select from public.session_participants p where p.session_id = session.id and p.user_id = join_session.user_id
  )
  for no key update;
  insert into public.session_participants as p (session_id, user_id, lang)
  values (session.id, coalesce(join_session.user_id, gen_random_uuid()), join_session.lang)
  on conflict on constraint session_participants_pkey do update
  set lang = excluded.lang,
      joined_at = case when p.left_at is null then p.joined_at else clock_timestamp() end,
      last_seen = clock_timestamp(),
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
  update public.session_participants p set left_at = clock_timestamp()
  where p.session_id = leave_session.session_id
    and p.left_at is null
    and p.user_id = coalesce(leave_session.user_id, (
      select n.user_id from public.session_participants n
      where n.session_id = leave_session.session_id and n.left_at is null and n.lang is null
      order by n.joined_at
      limit 1
      for no key update skip locked
    ));
  select * into session from public.sessions s where s.id = leave_session.session_id;
  return session;
end;
$$;
comment on function public.leave_session(uuid, uuid) is
  'Takes the user out of the session (or, without a user, one who joined without a name) and returns it. Leaving twice, or an unknown session, does nothing.';

create function public.touch_participant(session_id uuid, user_id uuid) returns boolean
language plpgsql volatile security invoker set search_path = '' as $$
begin
  perform private.require_live(s, '') from public.sessions s where s.id = touch_participant.session_id;
  -- Asked often, written seldom.
  update public.session_participants p set last_seen = clock_timestamp()
  where p.session_id = touch_participant.session_id and p.user_id = touch_participant.user_id
    and p.left_at is null
    and (p.is_away or p.last_seen < clock_timestamp() - interval '10 seconds');
  return found or exists (
    select from public.session_participants p
    where p.session_id = touch_participant.session_id and p.user_id = touch_participant.user_id and p.left_at is null
  );
end;
$$;
comment on function public.touch_participant(uuid, uuid) is
  'A sign of life, due every 30 seconds. False for one who left or never joined. PT410 closed or expired.';

create function public.extend_session(session_id uuid, duration interval) returns public.sessions
language plpgsql volatile security invoker set search_path = '' as $$
declare
  session public.sessions;
begin
  if duration is null or duration <= interval '0' then
    raise sqlstate 'PT400' using
      message = 'A session is extended by a positive duration',
      detail = format('The duration is %s.', coalesce(duration::text, 'null')),
      hint = 'Give an interval such as 1 hour.';
  end if;
  update public.sessions s
  set expires_at = greatest(
    s.expires_at, least(s.expires_at + least(duration, interval '24 hours'), s.created_at + interval '24 hours')
  )
  where s.id = extend_session.session_id and s.is_active and s.expires_at > clock_timestamp()
  returning * into session;
  if not found then
    select * into session from public.sessions s where s.id = extend_session.session_id;
    perform private.require_live(session, 'There is no session with this id.');
  end if;
  return session;
end;
$$;
comment on function public.extend_session(uuid, interval) is
  'Moves the end of a live session, at most to 24 hours from its creation, and returns the session. PT404 unknown, PT410 closed or expired.';

create function public.close_session(session_id uuid) returns public.sessions
language plpgsql volatile security invoker set search_path = '' as $$
declare
  session public.sessions;
begin
  update public.sessions s set is_active = false where s.id = close_session.session_id and s.is_active;
  select * into session from public.sessions s where s.id = close_session.session_id;
  if not found then
    perform private.require_live(session, 'There is no session with this id.');
  end if;
  return session;
end;
$$;
comment on function public.close_session(uuid) is
  'Closes the session, which frees its code, and returns it. Closing twice does nothing. PT404 unknown.';

revoke all on private.settings, public.sessions, public.session_participants from public, anon, authenticated;
grant usage on schema private to anon, authenticated, service_role;
grant select, update on private.settings to service_role;
grant select, insert, update on public.sessions to anon, authenticated;
grant select, insert (session_id, user_id, lang), update (lang, joined_at, last_seen, left_at)
  on public.session_participants to anon, authenticated;
grant all on public.sessions, public.session_participants to service_role;

revoke all on function private.require_live(public.sessions, text), private.require_live_session(),
  private.keep_session_facts(), private.keep_participant_facts(), private.count_participants(), private.mark_absent(uuid[]),
  private.notice_absent(),
  public.generate_unique_session_code(), public.create_session(uuid), public.join_session(text, uuid, text),
  public.leave_session(uuid, uuid), public.touch_participant(uuid, uuid), public.extend_session(uuid, interval),
  public.close_session(uuid)
  from public;
grant execute on function private.require_live(public.sessions, text), public.generate_unique_session_code(),
  public.create_session(uuid), public.join_session(text, uuid, text), public.leave_session(uuid, uuid),
  public.touch_participant(uuid, uuid), public.extend_session(uuid, interval), public.close_session(uuid)
  to anon, authenticated, service_role;
grant execute on function private.mark_absent(uuid[]) to service_role;
