-- Deleting what pg_cron noted: of our jobs, after a week.
begin;
create extension if not exists pgtap with schema extensions;
select plan(5);

-- Schema cron is named only in strings: where it is missing, nothing looks for it.
select case
  when to_regnamespace('cron') is null then skip('pg_cron is not in this database, and notes nothing.', 4)
  else collect_tap(
    lives_ok(
      $$ insert into cron.job_run_details (jobid, runid, database, username, command, status, start_time, end_time)
         select case when ours then j.jobid else -1 end, -runid, j.database, j.username, j.command, 'succeeded',
                now() - ago, now() - ago
         from cron.job j, (values
           (1, true, interval '8 days'), (2, true, '1 year'), (3, true, '6 days'), (4, false, '1 year')
         ) as runs (runid, ours, ago)
         where j.jobname = 'cleanup-activity' $$,
      'pg_cron has noted four runs: three of a job of ours, two of these more than a week ago.'
    ),
    ok(cleanup_job_runs() >= 2, 'Those of our jobs that are a week old are deleted, and counted.'),
    results_eq(
      'select runid from cron.job_run_details where runid between -4 and -1 order by runid', array[-4::bigint, -3],
      'Newer ones stay, and those of other jobs, however old.'
    ),
    is(cleanup_job_runs(), 0, 'Then there is nothing to delete.')
  )
end;

set local role service_role;
select throws_ok(
  'select cleanup_job_runs()', '42501', 'permission denied for function cleanup_job_runs',
  'service_role has no business there.'
);

select * from finish();
rollback;
