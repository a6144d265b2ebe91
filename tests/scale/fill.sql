-- Fills an empty database. Ids are made of numbers, so that the statements to be measured can name rows; triggers are off,
-- so seq, rev and the counters are written here as the triggers would have left them.
-- What is due (expired, stale, leased, ...) and what is measured is the same at every size; the rest grows, and so does
-- what waits in the queue: two messages in a hundred.
set session_replication_role = replica;
set client_min_messages = warning;

create temporary table filled_sessions as
select n,
       md5('session ' || n)::uuid as id,
       n <= greatest(%(sessions)s / 25, 200) as is_active,
       case when n <= 30 then 200
            when n <= 170 then 10
            else (%(messages)s - 7400) / (%(sessions)s - 170) + (n - 170 <= mod(%(messages)s - 7400, %(sessions)s - 170))::int
       end as messages
from generate_series(1, %(sessions)s) n;

insert into public.sessions (id, code, created_at, expires_at, is_active, user_count, last_activity)
select s.id,
       lpad((case when s.is_active then n - 1 else mod(n * 7919, 10000) end)::text, 4, '0'),
       ends.at - interval '4 hours', ends.at, s.is_active, case when s.is_active then 2 else 0 end, ends.at - interval '3 hours'
from filled_sessions s
cross join lateral (
  select case
    when n between 171 and 180 then now() - interval '5 minutes'                          -- expired, not closed yet
    when s.is_active then now() + interval '2 hours'
    when n > %(sessions)s - 100 then now() - interval '40 days'                          -- over the retention time
    else now() - interval '1 day' - mod(n, 28 * 24) * interval '1 hour'
  end as at
) ends;

insert into private.session_revisions (session_id, rev) select id, messages * 3 from filled_sessions;

insert into public.session_participants (session_id, user_id, lang, joined_at, last_seen, left_at, is_away)
select s.id, md5('user ' || n || '-' || k)::uuid, (array['en', 'es'])[k], now() - interval '3 hours',
       case when n between 181 and 190 then now() - interval '1 hour'                     -- unseen, not marked yet
            when s.is_active then now() + interval '1 hour' else now() - interval '2 days' end,
       case when not s.is_active and mod(n, 10) > 0 then now() - interval '1 day' end,
       not s.is_active
from filled_sessions s, generate_series(1, 2) k;

insert into public.messages (
  id, session_id, user_id, original, translation, original_lang, target_lang, status, queued_at, processed_at, displayed_at,
  error, timestamp, created_at, seq, rev
)
select md5('message ' || n || '-' || k)::uuid, s.id, md5('user ' || n || '-' || 1 + mod(k, 2))::uuid,
       'Shall we meet at the station at nine, or is that too early for you? ' || k,
       case when state.translated then 'Nos vemos en la estacion a las nueve, o es demasiado temprano para ti? ' || k end,
       'en', 'es', state.status, state.at, case when state.translated then state.at end, case when state.status = 'displayed' then state.at end,
       case when state.status = 'failed' then 'No translator' end, state.at, state.at, k * 3 - 2, k * 3
from filled_sessions s
cross join lateral generate_series(1, s.messages) k
cross join lateral (
  select case when n between 31 and 130 or (n > 400 and mod(n, 50) = 0) then 'queued' when n between 131 and 160 then 'processing'
              when n between 161 and 170 then 'failed' when mod(k, 30) = 0 then 'processing' else 'displayed' end as status,
         n not between 31 and 170 and (n <= 400 or mod(n, 50) > 0) as translated,
         now() - n * interval '1 second' + k * interval '10 milliseconds' as at
) state;

-- Jobs stay when a message is done: half of all messages went through the queue.
insert into private.translation_jobs (message_id, worker, token, leased_until, claims)
select m.id, 'worker', md5('token ' || m.id)::uuid,
       case when n between 131 and 150 then now() - interval '1 minute' when n between 151 and 160 then now() + interval '1 hour' end,
       1
from filled_sessions s
join public.messages m on m.session_id = s.id
where n between 131 and 170 or (m.translation is not null and mod(m.seq, 2) = 0);

insert into public.user_activity (session_id, user_id, activity_type, started_at, updated_at)
select s.id, md5('user ' || n || '-' || k)::uuid, state.kind, state.at, state.at
from filled_sessions s
cross join generate_series(1, 2) k
cross join lateral (
  select case when n <= 30 or n between 191 and 195 then 'typing' else 'idle' end as kind,
         case when n <= 30 then now() + interval '1 hour'                                 -- so that it stays fresh
              when n between 191 and 195 then now() - interval '1 minute'                 -- stale
              when n between 196 and 245 then now() - interval '2 hours'                  -- idle for long
              else now() + interval '1 hour' end as at
) state
where n <= %(activity)s / 2;

drop table filled_sessions;
reset session_replication_role;
