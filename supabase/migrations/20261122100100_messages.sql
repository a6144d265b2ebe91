-- Messages: each has a place in its session (seq) and each of its states a number (rev), given in commit order.

set lock_timeout = '5s';

create table public.messages (
  id uuid primary key default gen_random_uuid(),
  session_id uuid not null references public.sessions on delete cascade,
  user_id uuid not null,
  original text not null check (original ~ '\S' and char_length(original) <= 10000),
  translation text check (translation ~ '\S' and char_length(translation) <= 40000),
  original_lang varchar(10) not null check (original_lang ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$'),
  target_lang varchar(10) not null check (target_lang ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$'),
  status varchar(20) not null default 'queued' check (status in ('queued', 'processing', 'displayed', 'failed')),
  queued_at timestamptz not null default now(),
  processed_at timestamptz,
  displayed_at timestamptz,
  error text check (char_length(error) <= 1000),
  performance_metrics jsonb check (octet_length(performance_metrics::text) <= 4000),
  timestamp timestamptz not null default now(),
  created_at timestamptz not null default now(),
  seq bigint not null,
  rev bigint not null
);
comment on table public.messages is 'What was said, in which language, and how far its translation is.';
comment on column public.messages.status is
  'queued; processing: claimed (no translation yet) or ready to display (translated); displayed; failed.';
comment on column public.messages.error is 'Why the translation failed. Null in every other status.';
comment on column public.messages.seq is 'The place of the message in its session: the rev of its insert. Set by a trigger.';
comment on column public.messages.rev is
  'The number of this state: rises by one with each insert and update in the session, in commit order. Set by a trigger.';

create table private.session_revisions (
  session_id uuid primary key references public.sessions on delete cascade,
  rev bigint not null default 0
);
comment on table private.session_revisions is
  'The last rev given in each session. Its row stays locked until commit, so commit order is rev order.';
insert into private.session_revisions (session_id) select s.id from public.sessions s;

-- The counter keeps both numbers unique. Unique indexes would not only repeat that: an upsert of a message that somebody
-- updates at that moment may come upon them before it comes upon the id, and fail.
create index idx_messages_session_id on public.messages (session_id, seq);
create index idx_messages_session_rev on public.messages (session_id, rev);
create index idx_messages_status on public.messages (session_id, status);
create index idx_messages_queue on public.messages (session_id, queued_at) where status = 'queued';

alter table private.session_revisions enable row level security;
alter table public.messages enable row level security;

create policy "Anyone can read messages" on public.messages for select using (true);
create policy "Anyone can create messages" on public.messages for insert with check (true);
create policy "Anyone can update messages" on public.messages for update using (true);

-- Security definer, as are the next two: the counters are out of the clients' reach.
create function private.start_revisions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into private.session_revisions (session_id) values (new.id);
  return null;
end;
$$;
comment on function private.start_revisions() is 'Gives a new session its revision counter.';

create trigger trigger_sessions_start_revisions
after insert on public.sessions
for each row execute function private.start_revisions();

create function private.number_new_message() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  session public.sessions;
begin
  -- A known id will conflict, and burns no rev. No lock for it: an upsert goes on to update the row, which takes the row
  -- first and the counter after, and so must we.
  select m.seq, m.rev into new.seq, new.rev from public.messages m where m.id = new.id;
  if not found then
    -- The lock, then another look with a fresh snapshot: the same id may have been on its way.
    perform from private.session_revisions r where r.session_id = new.session_id for no key update;
    select m.seq, m.rev into new.seq, new.rev from public.messages m where m.id = new.id;
  end if;
  if new.rev is null then
    -- Only now, as nobody is to be waited for any more: the session may have ended meanwhile.
    select * into session from public.sessions s where s.id = new.session_id;
    perform private.require_live(session, 'There is no session with this id.');
    update private.session_revisions r set rev = r.rev + 1 where r.session_id = new.session_id
    returning r.rev into new.rev;
    new.seq := new.rev;
  end if;

  -- The database's clock stamps, after the lock: created_at rises with seq.
  new.created_at := clock_timestamp();
  new.timestamp := new.created_at;
  new.queued_at := new.created_at;
  new.processed_at := case when new.translation is not null then new.created_at end;
  new.displayed_at := case when new.status = 'displayed' then new.created_at end;
  new.error := case when new.status = 'failed' then new.error end;
  return new;
end;
$$;
comment on function private.number_new_message() is
  'Gives a new message its seq, rev and stamps, whatever the client sent; refuses it when the session is unknown (PT404) or over (PT410).';

create function private.metric(metrics jsonb, name text) returns double precision
language sql immutable security invoker set search_path = '' as $$
  -- Clients write what they like.
  select case
    when jsonb_typeof(metrics -> name) = 'number' then
      case when abs((metrics ->> name)::numeric) < 1e15 then (metrics ->> name)::double precision end
  end;
$$;
comment on function private.metric(jsonb, text) is 'A number among a message''s metrics; null where it is none.';

create function private.delivered_metrics(message public.messages) returns jsonb
language sql immutable security invoker set search_path = '' as $$
  select case
    when message.performance_metrics ? 'usage' and message.processed_at is not null then
      message.performance_metrics || jsonb_build_object(
        'messageDeliveryTime', round(extract(epoch from message.displayed_at - message.processed_at) * 1000, 3),
        'totalEndToEndTime', round(
          coalesce((
            private.metric(message.performance_metrics, 'whisperResponseEnd')
            - private.metric(message.performance_metrics, 'audioRecordingEnd')
          )::numeric, 0)
          -- Its way here, by two clocks; so it is never more than what sending it took by one.
          + greatest(0, coalesce(least(
            extract(epoch from message.created_at) * 1000
            - private.metric(message.performance_metrics, 'whisperResponseEnd')::numeric,
            private.metric(message.performance_metrics, 'messageDeliveryTime')::numeric
          ), 0))
          + extract(epoch from message.displayed_at - message.created_at) * 1000, 3
        )
      )
    else message.performance_metrics
  end;
$$;
comment on function private.delivered_metrics(public.messages) is
  'The metrics with the two durations (ms) that nobody knows before the message is displayed: one clock''s, so that clients'' clocks may differ. Only where the SDK wrote them, as usage tells; what an app counts by itself stays.';

create function private.number_message_update() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- An unknown status is left to the check on the column.
  if (old.status, new.status) in (
    ('displayed', 'queued'), ('displayed', 'processing'), ('displayed', 'failed'),
    ('failed', 'processing'), ('failed', 'displayed')
  ) then
    raise sqlstate 'PT409' using
      message = format('A message that is %s cannot become %s', old.status, new.status),
      detail = format('Message %s was left as it was.', old.id),
      hint = 'queued goes to processing, displayed or failed; processing to displayed, failed or queued; failed to queued.';
  end if;

  update private.session_revisions r set rev = r.rev + 1 where r.session_id = old.session_id
  returning r.rev into new.rev;

  new.id := old.id;
  new.session_id := old.session_id;
  new.seq := old.seq;
  new.created_at := old.created_at;
  new.timestamp := old.timestamp;
  new.queued_at := old.queued_at;
  new.processed_at := old.processed_at;
  new.displayed_at := old.displayed_at;
  if old.processed_at is null and new.translation is not null then
    new.processed_at := clock_timestamp();
  end if;
  if old.displayed_at is null and new.status = 'displayed' then
    new.displayed_at := clock_timestamp();
    new.performance_metrics := private.delivered_metrics(new);
  end if;
  new.error := case when new.status = 'failed' then new.error end;
  return new;
end;
$$;
comment on function private.number_message_update() is
  'Gives each new state of a message its rev and stamps, keeps its identity, refuses an illegal move of status (PT409).';

create trigger trigger_messages_number_insert
before insert on public.messages
for each row execute function private.number_new_message();

create trigger trigger_messages_number_update
before update on public.messages
for each row execute function private.number_message_update();

-- Security definer: the counters are out of the clients' reach.
create function private.hold_counter(session_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  -- Mostly nobody else is there.
  perform from private.session_revisions r where r.session_id = hold_counter.session_id for no key update skip locked;
  if found then
    return;
  end if;
  -- Statements that write several sessions may deadlock with each other. Whoever queues for one of their counters stands in
  -- that circle too, and may be picked as its victim; but who holds nothing yet can simply queue again.
  for attempt in 1..10 loop
    begin
      perform from private.session_revisions r where r.session_id = hold_counter.session_id for no key update;
      return;
    exception when deadlock_detected then
      if attempt = 10 then
        raise;
      end if;
    end;
  end loop;
end;
$$;
comment on function private.hold_counter(uuid) is
  'Locks the counter of a session until commit, whatever deadlocks others get into. To be called before anything else is locked.';

create function public.send_message(
  id uuid, session_id uuid, user_id uuid, original text, original_lang text, target_lang text default null,
  hold interval default null
) returns public.messages
language plpgsql volatile security invoker set search_path = '' as $$
declare
  message public.messages;
  to_lang text := send_message.target_lang;
begin
  -- A resend is answered before anything else, also when the session is over by now.
  select * into message from public.messages m where m.id = send_message.id;
  if not found then
    if to_lang is null then
      select p.lang into to_lang from public.session_participants p
      where p.session_id = send_message.session_id and p.user_id <> send_message.user_id
        and p.left_at is null and p.lang is not null
      order by p.is_away, p.joined_at desc
      limit 1;
    end if;
    -- Of a session that is unknown, closed or expired the trigger on messages says so.
    if to_lang is null and exists (
      select from public.sessions s
      where s.id = send_message.session_id and s.is_active and s.expires_at > clock_timestamp()
    ) then
      raise sqlstate 'PT409' using
        message = 'Nobody else is in this session to translate for',
        detail = 'Without target_lang a message is translated into the language of the other participant.',
        hint = 'Give target_lang, or wait until the other person has joined.';
    end if;
    perform private.hold_counter(send_message.session_id);
    insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
    values (send_message.id, send_message.session_id, send_message.user_id, send_message.original,
            send_message.original_lang, to_lang)
    on conflict on constraint messages_pkey do nothing
    returning * into message;
    if not found then
      select * into message from public.messages m where m.id = send_message.id;
    elsif send_message.hold is not null then
      perform private.hold_back(message.id, send_message.hold);
    end if;
  end if;

  if (message.session_id, message.user_id, message.original)
     is distinct from (send_message.session_id, send_message.user_id, send_message.original) then
    raise sqlstate 'PT409' using
      message = 'A different message with this id exists already',
      detail = format('The first message keeps the id %s; nothing was written.', send_message.id),
      hint = 'Give every new message a new UUID.';
  end if;
  return message;
end;
$$;
comment on function public.send_message(uuid, uuid, uuid, text, text, text, interval) is
  'Queues a message once: the same id again returns the first row. Without target_lang: the other participant''s language. With hold, workers leave it for so long to its sender, who translates it. PT404, PT410, PT409.';

create function public.send_messages(session_id uuid, messages jsonb) returns setof public.messages
language plpgsql volatile security invoker set search_path = '' as $$
declare
  malformed bigint;
  message jsonb;
begin
  if jsonb_typeof(send_messages.messages) is distinct from 'array' or jsonb_array_length(send_messages.messages) > 1000 then
    raise sqlstate 'PT400' using
      message = 'A batch is an array of at most 1,000 messages',
      detail = case jsonb_typeof(send_messages.messages)
        when 'array' then format('This one has %s.', jsonb_array_length(send_messages.messages))
        else format('This is of type %s.', coalesce(jsonb_typeof(send_messages.messages), 'null'))
      end,
      hint = 'Give the messages in one array; send more than 1,000 in several batches, one after the other.';
  end if;

  -- A key that nothing here reads is refused too: who sends a status or a stamp would believe that it was stored.
  select e.place - 1 into malformed
  from jsonb_array_elements(send_messages.messages) with ordinality as e (message, place)
  where not coalesce(e.message @? 'strict $ ? (
      @.id like_regex "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
      && @.user_id like_regex "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
      && @.original.type() == "string" && @.original_lang.type() == "string"
    )', false)
    or jsonb_typeof(e.message -> 'target_lang') not in ('string', 'null')
    or e.message @? '$.keyvalue().key ? (
      @ != "id" && @ != "user_id" && @ != "original" && @ != "original_lang" && @ != "target_lang"
    )'
  order by e.place
  limit 1;
  if found then
    raise sqlstate 'PT400' using
      message = 'A message of this batch is malformed',
      detail = format('It is the one at index %s; the first is at 0. Nothing was written.', malformed),
      hint = 'Each has id and user_id (UUIDs), original and original_lang (texts), perhaps target_lang, and nothing else.';
  end if;

  perform private.hold_counter(send_messages.session_id);
  for message in
    select e.message from jsonb_array_elements(send_messages.messages) with ordinality as e (message, place) order by e.place
  loop
    return next public.send_message(
      (message ->> 'id')::uuid, send_messages.session_id, (message ->> 'user_id')::uuid, message ->> 'original',
      message ->> 'original_lang', message ->> 'target_lang'
    );
  end loop;
end;
$$;
comment on function public.send_messages(uuid, jsonb) is
  'Queues at most 1,000 messages of a session, all or none, in the order of the array, each as send_message does. Also PT400.';

create function public.session_stats(session_id uuid) returns jsonb
language sql stable security invoker set search_path = '' as $$
  with own as materialized (
    select m.status, m.processed_at, m.displayed_at, m.performance_metrics as metrics from public.messages m
    where m.session_id = session_stats.session_id
  ), hops as (
    select h.name, count(*) as messages,
           percentile_disc(0.5) within group (order by h.ms) as p50,
           percentile_disc(0.95) within group (order by h.ms) as p95, max(h.ms) as max
    from own o
    cross join lateral (values
      ('record', private.metric(o.metrics, 'audioRecordingEnd') - private.metric(o.metrics, 'audioRecordingStart')),
      ('transcribe', private.metric(o.metrics, 'whisperResponseEnd') - private.metric(o.metrics, 'whisperRequestStart')),
      ('translate',
       private.metric(o.metrics, 'translationResponseEnd') - private.metric(o.metrics, 'translationRequestStart')),
      ('deliver', (extract(epoch from o.displayed_at - o.processed_at) * 1000)::double precision),
      ('total', private.metric(o.metrics, 'totalEndToEndTime'))
    ) h (name, ms)
    where h.ms > 0 -- what was typed was neither recorded nor transcribed
    group by h.name
  ), used as (
    select u.entry ->> 'model' as model,
           sum(coalesce(private.metric(u.entry, 'inputTokens'), 0)) as input_tokens,
           sum(coalesce(private.metric(u.entry, 'outputTokens'), 0)) as output_tokens,
           sum(coalesce(private.metric(u.entry, 'audioSeconds'), 0)) as audio_seconds,
           sum(coalesce(private.metric(u.entry, 'characters'), 0)) as characters
    from own o
    cross join lateral jsonb_array_elements(
      case jsonb_typeof(o.metrics -> 'usage') when 'array' then o.metrics -> 'usage' else '[]' end
    ) u (entry)
    where u.entry ->> 'model' is not null
    group by 1
  )
  select jsonb_build_object(
    'messages', (
      select coalesce(jsonb_object_agg(c.status, c.messages), '{}')
      from (select o.status, count(*) as messages from own o group by o.status) c
    ),
    'hops', (
      select coalesce(jsonb_object_agg(h.name, to_jsonb(h) - 'name'), '{}') from hops h
    ),
    'usage', (
      select coalesce(jsonb_agg(to_jsonb(u) order by u.model), '[]') from used u
    )
  );
$$;
comment on function public.session_stats(uuid) is
  'A session''s figures: messages by status; count, p50, p95 and max (ms) of each hop; what each model used.';

create function public.messages_since(session_id uuid, rev bigint default 0, "limit" integer default 1000)
returns setof public.messages
language sql stable security invoker set search_path = '' as $$
  select m.* from public.messages m
  where m.session_id = messages_since.session_id and m.rev > messages_since.rev
  order by m.rev
  limit least(messages_since."limit", 1000);
$$;
comment on function public.messages_since(uuid, bigint, integer) is
  'The states of a session''s messages after a rev, by rev, rising: at most 1,000. The last rev is where to go on.';

revoke all on private.session_revisions, public.messages from public, anon, authenticated;
grant select, insert, update on public.messages to anon, authenticated;
grant all on public.messages to service_role;

revoke all on function private.start_revisions(), private.metric(jsonb, text), private.delivered_metrics(public.messages),
  private.number_new_message(), private.number_message_update(), private.hold_counter(uuid),
  public.send_message(uuid, uuid, uuid, text, text, text, interval), public.send_messages(uuid, jsonb),
  public.messages_since(uuid, bigint, integer), public.session_stats(uuid) from public;
grant execute on function private.metric(jsonb, text), private.hold_counter(uuid),
  public.send_message(uuid, uuid, uuid, text, text, text, interval), public.send_messages(uuid, jsonb),
  public.messages_since(uuid, bigint, integer), public.session_stats(uuid) to anon, authenticated, service_role;
