-- Clean-up by pg_cron. It only tidies: every path checks by itself what is over, stale or unseen.
--
-- Each run is one transaction over a bounded number of rows, so no lock is held for long; what is left over waits for the
-- next run. Rows that somebody holds are skipped.

set lock_timeout = '5s';

create function public.cleanup_expired_sessions() returns void
language sql volatile security invoker set search_path = '' as $$
  update public.sessions set is_active = false
  where id = any (array(
    select s.id from public.sessions s
    where s.expires_at < now() and s.is_active
    for no key update skip locked
  ));
$$;
comment on function public.cleanup_expired_sessions() is 'Closes sessions whose time is over: at most 10,000, as there are no more codes.';

create function public.delete_closed_sessions(batch integer default 500) returns integer
language plpgsql volatile security invoker set search_path = '' as $$
declare
  doomed uuid[];
  deleted integer;
begin
  select array_agg(old.id) into doomed from (
    select s.id from public.sessions s
    where not s.is_active and s.expires_at < now() - (select c.session_retention from private.settings c)
    order by s.expires_at
    limit batch
    for update skip locked
  ) old;
  -- Whoever leaves holds their participant and waits for the session: such a session is left to the next run.
  with free as (
    select p.session_id, p.user_id from public.session_participants p
    where p.session_id = any(doomed)
    for update skip locked
  )
  select array_agg(d.id) into doomed from unnest(doomed) as d (id)
  where not exists (
    select from public.session_participants p
    where p.session_id = d.id and not exists (
      select from free f where f.session_id = p.session_id and f.user_id = p.user_id
    )
  );
  -- Messages by themselves, before the cascade takes the counters: in the order of everybody who writes a message. A long
  -- conversation goes in several runs, the session with the last of it.
  delete from public.messages m
  where m.id = any (array(select d.id from public.messages d where d.session_id = any(doomed) limit batch * 20));
  -- Whoever sends a message holds the counter and waits for the session: such a session is left to the next run, too.
  with free as (
    select r.session_id from private.session_revisions r
    where r.session_id = any(doomed)
    for update skip locked
  )
  select array_agg(f.session_id) into doomed from free f;
  delete from public.sessions s
  where s.id = any(doomed) and not exists (select from public.messages m where m.session_id = s.id);
  get diagnostics deleted = row_count;
  return deleted;
exception
  -- A statement over many messages was in the way. The next run tries again.
  when deadlock_detected then
    return 0;
end;
$$;
comment on function public.delete_closed_sessions(integer) is
  'Deletes the oldest closed sessions, with all that belongs to them, when settings.session_retention is over; returns how many. Null retention: never.';

create function public.cleanup_participants(batch integer default 1000) returns integer
language plpgsql volatile security invoker set search_path = '' as $$
begin
  -- The sessions first, in order: counting locks them.
  return private.mark_absent(array(
    select s.id from public.sessions s
    where s.id in (
      select p.session_id from public.session_participants p
      where p.left_at is null and not p.is_away and p.lang is not null
        and p.last_seen < now() - (select c.participant_timeout from private.settings c)
      order by p.last_seen
      limit batch
    )
    order by s.id
    for no key update skip locked
  ));
end;
$$;
comment on function public.cleanup_participants(integer) is
  'Marks participants as away who were not seen for settings.participant_timeout; returns how many. For sessions where nobody is left to notice.';

create function public.cleanup_activity(batch integer default 10000) returns integer
language sql volatile security invoker set search_path = '' as $$
  with stale as (
    delete from public.user_activity a
    where a.id = any (array( -- made once, whatever the plan
      select s.id from public.user_activity s
      where s.updated_at < now() - interval '5 seconds' and s.activity_type <> 'idle'
      limit batch
      for update skip locked
    ))
    returning a.id
  ), forgotten as (
    delete from public.user_activity a
    where a.id = any (array(
      select i.id from public.user_activity i
      where i.updated_at < now() - interval '1 hour' and i.activity_type = 'idle'
      limit batch
      for update skip locked
    ))
    returning a.id
  )
  select (select count(*) from stale)::integer + (select count(*) from forgotten)::integer;
$$;
comment on function public.cleanup_activity(integer) is
  'Deletes activity without a sign for 5 seconds, and idle rows after an hour; returns how many.';

create function private.cleanup_jobs() returns table (job text, schedule text, command text)
language sql immutable security invoker set search_path = '' as $$
  values
    ('cleanup-expired-sessions', '0 * * * *', 'select public.cleanup_expired_sessions();'),
    ('delete-closed-sessions', '* * * * *', 'select public.delete_closed_sessions();'),
    ('cleanup-participants', '* * * * *', 'select public.cleanup_participants();'),
    ('cleanup-activity', '* * * * *', 'select public.cleanup_activity();'),
    ('cleanup-job-runs', '30 3 * * *', 'select public.cleanup_job_runs();');
$$;
comment on function private.cleanup_jobs() is 'What pg_cron runs for us, and when (UTC).';

-- Schema cron is reached by dynamic SQL, here and below: it is not there before pg_cron is.
create function public.cleanup_job_runs() returns integer
language plpgsql volatile security invoker set search_path = '' as $$
declare
  deleted integer;
begin
  execute $sql$
    delete from cron.job_run_details d
    where coalesce(d.end_time, d.start_time) < now() - interval '7 days'
      and d.jobid in (select j.jobid from cron.job j join private.cleanup_jobs() ours on ours.job = j.jobname)
  $sql$;
  get diagnostics deleted = row_count;
  return deleted;
end;
$$;
comment on function public.cleanup_job_runs() is
  'Deletes what pg_cron noted of our jobs more than 7 days ago, as it does not by itself; returns how many.';

create function public.schedule_cleanup() returns integer
language plpgsql volatile security invoker set search_path = '' as $$
declare
  scheduled integer;
begin
  if to_regnamespace('cron') is null then
    raise object_not_in_prerequisite_state using
      message = 'pg_cron is not enabled in this database',
      hint = 'create extension if not exists pg_cron with schema pg_catalog; then call schedule_cleanup() again.';
  end if;
  execute 'select count(cron.schedule(job, schedule, command)) from private.cleanup_jobs()' into scheduled;
  return scheduled;
end;
$$;
comment on function public.schedule_cleanup() is
  'Registers the clean-up jobs with pg_cron, or registers them anew; returns how many. Run it when pg_cron was enabled after the migrations.';

-- Security definer: service_role may not look into schema cron.
create function public.cleanup_status()
returns table (
  job text, schedule text, command text, is_scheduled boolean,
  last_run_at timestamptz, last_status text, last_message text
)
language plpgsql stable security definer set search_path = '' as $$
begin
  if to_regnamespace('cron') is null then
    return query
    select j.job, j.schedule, j.command, false, null::timestamptz, null::text, null::text from private.cleanup_jobs() j;
  else
    return query execute $sql$
      select ours.job, coalesce(j.schedule, ours.schedule), coalesce(j.command, ours.command),
             j.jobid is not null and j.active, run.start_time, run.status, run.return_message
      from private.cleanup_jobs() ours
      left join cron.job j on j.jobname = ours.job and j.username = current_user
      left join lateral (
        select d.start_time, d.status, d.return_message from cron.job_run_details d
        where d.jobid = j.jobid
        order by d.runid desc
        limit 1
      ) run on true
    $sql$;
  end if;
end;
$$;
comment on function public.cleanup_status() is
  'The clean-up jobs: whether pg_cron runs them, when each ran last, and how that ended. All unscheduled where pg_cron is missing.';

revoke all on function public.cleanup_expired_sessions(), public.delete_closed_sessions(integer),
  public.cleanup_participants(integer), public.cleanup_activity(integer), public.cleanup_job_runs(),
  public.schedule_cleanup(), public.cleanup_status(), private.cleanup_jobs()
  from public, anon, authenticated, service_role;
grant execute on function public.cleanup_expired_sessions(), public.delete_closed_sessions(integer),
  public.cleanup_participants(integer), public.cleanup_activity(integer), public.cleanup_status()
  to service_role;

do $$
begin
  if exists (select from pg_catalog.pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
    perform public.schedule_cleanup();
  else
    raise notice 'pg_cron is not available here: nothing runs %',
      (select string_agg(job, ', ') from private.cleanup_jobs());
  end if;
exception
  -- Installed on the machine, but not loaded by this server or for this database, or not ours to enable.
  when internal_error or raise_exception or insufficient_privilege or object_not_in_prerequisite_state then
    raise notice 'pg_cron cannot be used here (%): nothing runs %',
      sqlerrm, (select string_agg(job, ', ') from private.cleanup_jobs());
end;
$$;
