-- What service_role, the worker and the operator with the secret key, does and is refused.
-- The policies are those of the open demo mode; this role passes over them.
begin;
create extension if not exists pgtap with schema extensions;
select plan(18);

\ir others.psql

set local role service_role;

select isnt_empty(
  $$ select token from private.translation_jobs where message_id = '00000000-0000-4000-8000-000000000011' $$,
  'service_role reads what the queue knows.'
);
select isnt_empty('select max_failures from private.settings', 'service_role reads the settings.');
select lives_ok(
  $$ update private.settings set participant_timeout = '1 minute' $$, 'service_role changes the settings.'
);
select lives_ok($$ select from claim_messages('worker') $$, 'service_role claims messages.');
select lives_ok(
  $$ select retry_failed('00000000-0000-4000-8000-000000000001') $$, 'service_role has failed messages tried again.'
);
select lives_ok('select * from cleanup_status()', 'service_role asks after the clean-up.');
select lives_ok('select cleanup_expired_sessions()', 'service_role closes expired sessions.');
select lives_ok('select cleanup_participants()', 'service_role marks the absent.');
select lives_ok('select cleanup_activity()', 'service_role deletes stale activity.');
select results_eq(
  $$ delete from public.messages where id = '00000000-0000-4000-8000-000000000011' returning original $$,
  $$ values ('Hello') $$,
  'service_role deletes a message, for whoever asks to be forgotten.'
);
select lives_ok(
  $$ delete from public.sessions where id = '00000000-0000-4000-8000-000000000001' $$, 'And a session.'
);

select throws_ok(
  'insert into private.settings default values', '42501', 'permission denied for table settings',
  'service_role adds no settings.'
);
select throws_ok(
  'delete from private.session_revisions', '42501', 'permission denied for table session_revisions',
  'service_role forgets no counter.'
);
select throws_ok(
  'delete from private.translation_jobs', '42501', 'permission denied for table translation_jobs',
  'service_role forgets no job.'
);
select throws_ok(
  'create table private.mine ()', '42501', 'permission denied for schema private', 'service_role creates nothing private.'
);
select throws_ok(
  'select private.cleanup_jobs()', '42501', 'permission denied for function cleanup_jobs',
  'service_role reads the schedule by cleanup_status() alone.'
);
select throws_ok(
  'select cleanup_job_runs()', '42501', 'permission denied for function cleanup_job_runs',
  'service_role does not delete what pg_cron noted.'
);
select throws_ok(
  'select schedule_cleanup()', '42501', 'permission denied for function schedule_cleanup',
  'service_role does not schedule.'
);

select * from finish();
rollback;
