-- The queue: workers beside the database claim messages, translate them, and lose their claim if they fall silent.
-- A message's status is what everybody sees; what only workers need is kept here.
--
-- No function here deadlocks: several messages are taken only by whoever holds their sessions' counters, and then without
-- waiting (skip locked); a single message is locked before its counter, as every update does, and both before its job.

set lock_timeout = '5s';

create table private.translation_jobs (
  message_id uuid primary key references public.messages on delete cascade,
  worker text not null check (char_length(worker) between 1 and 200),
  token uuid not null,
  leased_until timestamptz,
  next_attempt_at timestamptz not null default now(),
  claims integer not null default 1,
  failures integer not null default 0,
  last_error text
);
comment on table private.translation_jobs is 'What the queue knows of a message that was ever claimed. Not published.';
comment on column private.translation_jobs.worker is 'Who claimed it last, by its own name.';
comment on column private.translation_jobs.token is 'Proves the claim. A new one with each claim, so a worker that lost its lease cannot use the old one.';
comment on column private.translation_jobs.leased_until is 'When the message may be claimed by somebody else. Null: nobody has claimed it now.';
comment on column private.translation_jobs.next_attempt_at is 'Not claimed before: the pause after a failure.';
comment on column private.translation_jobs.claims is 'How often it was claimed and not given back, since the last retry_failed().';
comment on column private.translation_jobs.last_error is 'Why the last claim failed; null since the next one.';
comment on column private.translation_jobs.failures is 'How often a worker reported that it failed, since the last retry_failed().';

-- Not concurrently, as a migration is one transaction; no project has messages before this release.
create index idx_messages_open on public.messages (queued_at) where status = 'queued' and translation is null;
create index idx_translation_jobs_leased on private.translation_jobs (leased_until) where leased_until is not null;

alter table private.translation_jobs enable row level security;

-- Security definer: a message is also moved by clients, who know nothing of its job.
create function private.settle_job() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if old.status = 'failed' then
    update private.translation_jobs j set claims = 0, failures = 0, next_attempt_at = now() where j.message_id = new.id;
  else
    update private.translation_jobs j set leased_until = null where j.message_id = new.id;
  end if;
  return null;
end;
$$;
comment on function private.settle_job() is
  'Ends the lease of a message that is translated or moved on, by whomever; lets a failed one start anew when it is queued again.';

create trigger trigger_messages_settle_job
after update on public.messages
for each row when (
  old.translation is null
  and (
    (old.status = 'processing' and (new.status <> 'processing' or new.translation is not null))
    or (old.status = 'failed' and new.status = 'queued')
  )
)
execute function private.settle_job();

-- Security definer: the jobs are out of the clients' reach.
create function private.hold_back(message_id uuid, hold interval) returns void
language sql volatile security definer set search_path = '' as $$
  insert into private.translation_jobs (message_id, worker, token, next_attempt_at, claims)
  select hold_back.message_id, 'its sender', gen_random_uuid(),
         clock_timestamp() + least(greatest(hold_back.hold, interval '0'), interval '10 minutes'), 0
  on conflict on constraint translation_jobs_pkey do nothing;
$$;
comment on function private.hold_back(uuid, interval) is
  'Leaves a new message to its sender for so long, at most 10 minutes: nobody claims it before.';

create function private.leased_sessions(at timestamptz) returns uuid[]
language sql stable security invoker set search_path = '' as $$
  select array(
    select distinct m.session_id from private.translation_jobs j
    join public.messages m on m.id = j.message_id
    where j.leased_until > leased_sessions.at
  );
$$;
comment on function private.leased_sessions(timestamptz) is
  'The sessions of which somebody holds a message beyond that moment.';

create function private.claim(worker text, most integer, lease interval, in_order boolean)
returns table (
  id uuid, session_id uuid, user_id uuid, original text, original_lang varchar, target_lang varchar, seq bigint,
  token uuid, leased_until timestamptz, attempt integer, queued_at timestamptz
)
language plpgsql volatile security invoker set search_path = '' as $$
#variable_conflict use_column
declare
  busy uuid[] := array[]::uuid[];
  candidates uuid[];
  locked uuid[];
  held uuid[];
begin
  if (
    char_length(claim.worker) between 1 and 200 and most between 1 and 100
    and claim.lease between interval '0' and interval '1 hour'
  ) is not true then
    raise sqlstate 'PT400' using
      message = 'A claim needs a worker, a limit from 1 to 100 and a lease of 0 to 1 hour',
      detail = format('The worker''s name has %s characters (1 to 200), the limit is %s, the lease %s.',
        coalesce(char_length(claim.worker), 0), coalesce(most::text, 'null'),
        coalesce(claim.lease::text, 'null')),
      hint = 'Give the worker any name that tells it from the others, and a lease well above what a translation takes.';
  end if;

  for round in 1..3 loop
    -- In order means: by one worker at a time. Whoever holds a message of a session has all of it to themselves.
    if in_order then
      busy := private.leased_sessions(now());
    end if;

    -- The sessions of what waits, or lies with a worker that fell silent, the oldest first. 500 messages
    -- are enough to choose from, whatever the backlog. In order, a session waits since its last message was translated:
    -- one with a long backlog takes turns with the others.
    select array_agg(o.session_id order by greatest(o.since, before.processed_at)) into candidates
    from (
      select c.session_id, min(c.queued_at) as since, min(c.seq) as first
      from (
        (
          select m.session_id, m.queued_at, m.seq from public.messages m
          left join private.translation_jobs j on j.message_id = m.id
          where m.status = 'queued' and m.translation is null and (j.message_id is null or j.next_attempt_at <= now())
            and m.session_id <> all(busy)
          order by m.queued_at
          limit 500
        )
        union all
        (
          select m.session_id, m.queued_at, m.seq from private.translation_jobs j
          join public.messages m on m.id = j.message_id
          where j.leased_until <= now() and m.session_id <> all(busy)
          order by j.leased_until
          limit 500
        )
      ) c
      group by c.session_id
    ) o
    left join lateral (
      select m.processed_at from public.messages m
      where in_order and m.session_id = o.session_id and m.seq < o.first
      order by m.seq desc
      limit 1
    ) before on true;

    -- Their counters, and with them the right to claim there: nobody else claims in these sessions until we commit.
    select array_agg(r.session_id) into locked from (
      select c.session_id from unnest(candidates) with ordinality as wanted (session_id, place)
      join private.session_revisions c on c.session_id = wanted.session_id
      order by wanted.place
      limit most
      for no key update of c skip locked
    ) r;

    -- What lies with a silent worker waits again; but what nobody ever brings to an end has failed.
    with overdue as (
      select m.id, j.claims from private.translation_jobs j
      join public.messages m on m.id = j.message_id
      where j.leased_until <= now() and m.session_id = any(locked)
      for no key update skip locked
    )
    update public.messages m
    set status = case when o.claims < (select s.max_claims from private.settings s) then 'queued' else 'failed' end,
        error = 'Given up: worker after worker took this message, and none came back.'
    from overdue o
    where m.id = o.id;

    -- Another look, now that nobody can claim there: somebody may have, between the choice and the lock; and a lease that
    -- has run out may be being extended.
    held := locked;
    if in_order then
      busy := private.leased_sessions('-infinity');
      select array_agg(l) into held from unnest(locked) l where l <> all(busy);
    end if;
    exit when held is not null or candidates is null;
    -- All are busy. Waiting for one is safe while nothing is held; an empty answer would say that there is no work.
    if round = 1 and locked is null then
      perform private.hold_counter(candidates[1]);
    end if;
  end loop;

  return query
  with oldest as materialized (
    select o.id, o.place from unnest(held) h (session_id)
    cross join lateral (
      select m.id, row_number() over (order by m.queued_at) as place from public.messages m
      left join private.translation_jobs j on j.message_id = m.id
      where m.session_id = h.session_id and m.status = 'queued' and m.translation is null
        and (j.message_id is null or j.next_attempt_at <= now())
      order by m.queued_at
      limit most
    ) o
  ), free as (
    select m.* from public.messages m
    join oldest o on o.id = m.id
    where m.id = any(array(select o.id from oldest o))
    -- In order, each session's first before any one's second: so many can be worked on at once.
    order by case when in_order then o.place end, m.queued_at, m.seq
    limit most
    for no key update of m skip locked
  ), leased as (
    insert into private.translation_jobs as j (message_id, worker, token, leased_until)
    select f.id, claim.worker, gen_random_uuid(), clock_timestamp() + claim.lease from free f
    -- As the message is now, under our lock. Above, it would have the whole backlog read by its index.
    where f.status = 'queued' and f.translation is null
    on conflict (message_id) do update
    set worker = excluded.worker, token = excluded.token, leased_until = excluded.leased_until, claims = j.claims + 1,
        last_error = null
    -- As the job is now: it may have failed since our snapshot was taken.
    where j.next_attempt_at <= clock_timestamp()
    returning j.message_id, j.token, j.leased_until, j.failures
  ), moved as (
    update public.messages m set status = 'processing' from leased l where m.id = l.message_id
  )
  select f.id, f.session_id, f.user_id, f.original, f.original_lang, f.target_lang, f.seq,
         l.token, l.leased_until, l.failures + 1, f.queued_at
  from free f
  join leased l on l.message_id = f.id
  order by f.session_id, f.seq;
end;
$$;
comment on function private.claim(text, integer, interval, boolean) is 'What public.claim_messages() does.';

create function public.claim_messages(
  worker text, "limit" integer default 10, lease interval default '30 seconds', in_order boolean default false,
  turns integer default 0
)
returns table (
  id uuid, session_id uuid, user_id uuid, original text, original_lang varchar, target_lang varchar, seq bigint,
  token uuid, leased_until timestamptz, attempt integer, queued_at timestamptz, context text[]
)
language sql volatile security invoker set search_path = '' as $$
  select c.*, array(
    select t.original from (
      select m.original, m.seq from public.messages m
      where m.session_id = c.session_id and m.seq < c.seq
      order by m.seq desc
      limit least(greatest(turns, 0), 100)
    ) t
    order by t.seq
  )
  from private.claim(worker, "limit", lease, in_order) c
  order by c.session_id, c.seq;
$$;
comment on function public.claim_messages(text, integer, interval, boolean, integer) is
  'Claims the oldest claimable messages, at most limit, for the time of the lease, and returns them by session in order. Each comes with the token that completes, fails, releases or extends it. With in_order, nothing of a session of which somebody holds a message, so that one worker at a time translates it. With turns, so many that were said before it come along, as context. Over REST, limit goes into the body: a filter on the answer would claim more than it shows.';

create function private.require_claim(id uuid, token uuid) returns void
language plpgsql volatile security invoker set search_path = '' as $$
begin
  if not exists (
    select from private.translation_jobs j
    where j.message_id = require_claim.id and j.token = require_claim.token and j.leased_until is not null
  ) then
    raise sqlstate 'PT409' using
      message = 'This claim has been lost',
      detail = format('Message %s was claimed by somebody else, was moved on by a client, or is gone. Nothing was written.',
                      require_claim.id),
      hint = 'Drop the work. Extend a lease in time, or claim with a longer one.';
  end if;
end;
$$;
comment on function private.require_claim(uuid, uuid) is 'Refuses a token that holds no claim any more (PT409).';

create function private.hold_message(id uuid) returns public.messages
language plpgsql volatile security invoker set search_path = '' as $$
declare
  message public.messages;
begin
  -- A statement over several messages may hold the counter and want this message, as we hold it and want the counter. Then
  -- both are let go, and that statement goes first.
  for attempt in 1..10 loop
    begin
      select * into message from public.messages m where m.id = hold_message.id for no key update;
      perform from private.session_revisions r where r.session_id = message.session_id for no key update;
      exit;
    exception when deadlock_detected then
      if attempt = 10 then
        raise;
      end if;
    end;
  end loop;
  return message;
end;
$$;
comment on function private.hold_message(uuid) is
  'Locks a message and its session''s counter until commit, whatever deadlocks others get into. To be called before anything else is locked.';

create function public.extend_lease(id uuid, token uuid, lease interval default '30 seconds') returns timestamptz
language plpgsql volatile security invoker set search_path = '' as $$
declare
  leased_until timestamptz;
begin
  if extend_lease.lease is null or extend_lease.lease not between interval '0' and interval '1 hour' then
    raise sqlstate 'PT400' using
      message = 'A lease is at most 1 hour',
      detail = format('The lease is %s.', coalesce(extend_lease.lease::text, 'null')),
      hint = 'Extend a lease again while the work goes on.';
  end if;
  update private.translation_jobs j set leased_until = clock_timestamp() + extend_lease.lease
  where j.message_id = extend_lease.id and j.token = extend_lease.token and j.leased_until is not null
  returning j.leased_until into leased_until;
  if not found then
    perform private.require_claim(extend_lease.id, extend_lease.token);
  end if;
  return leased_until;
end;
$$;
comment on function public.extend_lease(uuid, uuid, interval) is
  'Lets the lease end so long from now, and returns when. PT409 for a stale token.';

create function public.complete_message(id uuid, token uuid, translation text, metrics jsonb default null)
returns public.messages
language plpgsql volatile security invoker set search_path = '' as $$
declare
  message public.messages;
begin
  if (complete_message.translation ~ '\S' and char_length(complete_message.translation) <= 40000) is not true then
    raise sqlstate 'PT400' using
      message = 'A message is completed with its translation',
      detail = format('A translation has 1 to 40,000 characters, not only blanks. This one has %s.',
        coalesce(char_length(complete_message.translation), 0)),
      hint = 'Report what cannot be translated with fail_message().';
  end if;
  message := private.hold_message(complete_message.id);
  -- The same again, since the first answer was lost?
  if message.translation = complete_message.translation and exists (
    select from private.translation_jobs j
    where j.message_id = message.id and j.token = complete_message.token and j.leased_until is null
  ) then
    return message;
  end if;

  perform private.require_claim(complete_message.id, complete_message.token);
  update public.messages m
  set translation = complete_message.translation,
      performance_metrics = coalesce(complete_message.metrics, m.performance_metrics)
  where m.id = message.id
  returning * into message;
  return message;
end;
$$;
comment on function public.complete_message(uuid, uuid, text, jsonb) is
  'Stores the translation and ends the lease; the status stays processing, ready to display. The same call again changes nothing. PT409 for a stale token.';

create function public.fail_message(id uuid, token uuid, error text) returns public.messages
language plpgsql volatile security invoker set search_path = '' as $$
declare
  message public.messages;
  settings private.settings;
  reason text := case when fail_message.error ~ '\S' then left(fail_message.error, 1000) else 'The worker gave no reason.' end;
  failed integer;
begin
  message := private.hold_message(fail_message.id);
  -- The same again, since the first answer was lost?
  if message.status in ('queued', 'failed') and exists (
    select from private.translation_jobs j
    where j.message_id = message.id and j.token = fail_message.token and j.leased_until is null and j.last_error = reason
  ) then
    return message;
  end if;

  perform private.require_claim(fail_message.id, fail_message.token);
  select * into settings from private.settings;
  update private.translation_jobs j
  set failures = j.failures + 1,
      claims = 0,
      last_error = reason,
      next_attempt_at = clock_timestamp() + least(settings.retry_delay * 2 ^ least(j.failures, 20), interval '5 minutes')
  where j.message_id = message.id
  returning j.failures into failed;

  update public.messages m
  set status = case when failed < settings.max_failures then 'queued' else 'failed' end, error = reason
  where m.id = message.id
  returning * into message;
  return message;
end;
$$;
comment on function public.fail_message(uuid, uuid, text) is
  'Queues the message again, after a pause that doubles with each failure; the last of settings.max_failures leaves it failed, with the error. The same call again changes nothing. PT409 for a stale token.';

create function public.release_message(id uuid, token uuid) returns public.messages
language plpgsql volatile security invoker set search_path = '' as $$
declare
  message public.messages;
begin
  message := private.hold_message(release_message.id);
  -- The same again, since the first answer was lost?
  if message.status = 'queued' and exists (
    select from private.translation_jobs j
    where j.message_id = message.id and j.token = release_message.token and j.leased_until is null
  ) then
    return message;
  end if;

  perform private.require_claim(release_message.id, release_message.token);
  update private.translation_jobs j set claims = j.claims - 1 where j.message_id = message.id;
  update public.messages m set status = 'queued' where m.id = message.id returning * into message;
  return message;
end;
$$;
comment on function public.release_message(uuid, uuid) is
  'Gives a claim back: the message can be claimed again at once, as if it had not been. The same call again changes nothing. PT409 for a stale token.';

create function public.retry_failed(session_id uuid) returns setof public.messages
language plpgsql volatile security invoker set search_path = '' as $$
begin
  perform private.hold_counter(retry_failed.session_id);
  return query
  update public.messages m set status = 'queued'
  where m.id in (
    select f.id from public.messages f
    where f.session_id = retry_failed.session_id and f.status = 'failed' and f.translation is null
    for no key update skip locked
  )
  returning m.*;
end;
$$;
comment on function public.retry_failed(uuid) is
  'Queues the failed messages of a session again, with all their attempts, and returns them.';

-- The worker holds its own secret key; the SDK holds none.
revoke all on private.translation_jobs from public, anon, authenticated;
grant select, insert, update on private.translation_jobs to service_role;
grant select, update on private.session_revisions to service_role;

revoke all on function private.settle_job(), private.hold_back(uuid, interval), private.leased_sessions(timestamptz),
  private.claim(text, integer, interval, boolean), private.require_claim(uuid, uuid),
  private.hold_message(uuid),
  public.claim_messages(text, integer, interval, boolean, integer), public.extend_lease(uuid, uuid, interval),
  public.complete_message(uuid, uuid, text, jsonb), public.fail_message(uuid, uuid, text),
  public.release_message(uuid, uuid), public.retry_failed(uuid)
  from public, anon, authenticated;
grant execute on function private.leased_sessions(timestamptz),
  private.claim(text, integer, interval, boolean), private.require_claim(uuid, uuid),
  private.hold_message(uuid),
  public.claim_messages(text, integer, interval, boolean, integer), public.extend_lease(uuid, uuid, interval),
  public.complete_message(uuid, uuid, text, jsonb), public.fail_message(uuid, uuid, text),
  public.release_message(uuid, uuid), public.retry_failed(uuid)
  to service_role;
grant execute on function private.hold_back(uuid, interval) to anon, authenticated, service_role;
