-- The jobs of pg_cron: registered by name and schedule, registered anew, and told by cleanup_status().
begin;
create extension if not exists pgtap with schema extensions;
select plan(22);

create temporary view jobs as
select * from (values
  ('cleanup-expired-sessions', '0 * * * *', 'select public.cleanup_expired_sessions();'),
  ('delete-closed-sessions', '* * * * *', 'select public.delete_closed_sessions();'),
  ('cleanup-participants', '* * * * *', 'select public.cleanup_participants();'),
  ('cleanup-activity', '* * * * *', 'select public.cleanup_activity();'),
  ('cleanup-job-runs', '30 3 * * *', 'select public.cleanup_job_runs();')
) as job (name, schedule, command);
grant select on jobs to service_role;

-- Schema cron is named only in strings: where it is missing, nothing looks for it.
select case
  when to_regnamespace('cron') is null then skip('pg_cron is not in this database, so nothing is registered.', 13)
  else collect_tap(
    set_eq(
      $$ select jobname::text, schedule, command from cron.job where jobname in (select name from jobs) $$,
      'table jobs', 'Each job is registered, by its name, schedule and command.'
    ),
    is_empty(
      $$ select jobname from cron.job where jobname in (select name from jobs) and not active $$, 'Each is active.'
    ),
    is_empty(
      $$ select jobname from cron.job
         where jobname in (select name from jobs) and (username, database) <> ('postgres', current_database()) $$,
      'Each runs in this database, as the owner of what it calls.'
    ),
    is_empty(
      $$ select command from jobs where to_regproc(substring(command from 'select (.*)\(\);')) is null $$,
      'Each calls a function that there is.'
    ),
    is(schedule_cleanup(), 5, 'They can be registered anew.'),
    results_eq(
      $$ select count(*) from cron.job where jobname in (select name from jobs) $$, array[5::bigint],
      'That doubles none.'
    ),
    lives_ok($$ select cron.unschedule('cleanup-activity') $$, 'One is taken away.'),
    results_eq(
      $$ select job from cleanup_status() where not is_scheduled $$, array['cleanup-activity'],
      'Its status says that it does not run.'
    ),
    lives_ok($$ select cron.schedule('cleanup-participants', '*/7 * * * *', 'select 7') $$, 'One is changed.'),
    results_eq(
      $$ select schedule, command from cleanup_status() where job = 'cleanup-participants' $$,
      $$ values ('*/7 * * * *', 'select 7') $$, 'Its status says what runs instead.'
    ),
    is(schedule_cleanup(), 5, 'All are registered anew.'),
    set_eq(
      $$ select jobname::text, schedule, command from cron.job where jobname in (select name from jobs) $$,
      'table jobs', 'Then they are as they were.'
    ),
    lives_ok(
      $$ insert into cron.job_run_details (jobid, runid, database, username, command, status, return_message, start_time, end_time)
         select jobid, 9223372036854775807, database, username, command, 'failed', 'ERROR: no', '2026-01-01', '2026-01-01'
         from cron.job where jobname = 'cleanup-job-runs' $$,
      'pg_cron notes how a run ended.'
    )
  )
end;

select case
  when to_regnamespace('cron') is not null then skip('pg_cron is in this database: its absence shows elsewhere.', 1)
  else throws_ok(
    'select schedule_cleanup()', '55000', 'pg_cron is not enabled in this database',
    'Without pg_cron nothing is registered, and that is said.'
  )
end;

set local role service_role;
select set_eq(
  'select job, schedule, command from cleanup_status()', 'table jobs',
  'cleanup_status() tells every job, pg_cron or no pg_cron.'
);
select is(
  (select bool_or(is_scheduled) from cleanup_status()), to_regnamespace('cron') is not null,
  'Where there is none, none is scheduled.'
);
select is(
  (select bool_and(is_scheduled) from cleanup_status()), to_regnamespace('cron') is not null,
  'Where there is one, all are.'
);
select is(
  (select count(last_run_at) + count(last_status) + count(last_message) from cleanup_status() where not is_scheduled),
  0::bigint, 'What is not scheduled has not run.'
);
select case
  when to_regnamespace('cron') is null then skip('pg_cron is not in this database, so no run has ended.', 1)
  else results_eq(
    $$ select last_run_at, last_status, last_message from cleanup_status() where job = 'cleanup-job-runs' $$,
    $$ values ('2026-01-01'::timestamptz, 'failed', 'ERROR: no') $$,
    'It tells when a job ran last, and how that ended.'
  )
end;
select throws_ok(
  'select schedule_cleanup()', '42501', 'permission denied for function schedule_cleanup',
  'service_role does not register jobs.'
);
set local role anon;
select throws_ok(
  'select * from cleanup_status()', '42501', 'permission denied for function cleanup_status', 'anon is told nothing.'
);
select throws_ok(
  'select schedule_cleanup()', '42501', 'permission denied for function schedule_cleanup', 'anon registers nothing.'
);

select * from finish();
rollback;
