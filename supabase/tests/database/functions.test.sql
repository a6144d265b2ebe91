-- The functions: which there are, with whose rights each runs, and that none looks a name up where others may write.
begin;
create extension if not exists pgtap with schema extensions;
select plan(9);

create temporary view ours as
select p.* from pg_catalog.pg_proc p where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace);

select functions_are('public', array[
  'generate_unique_session_code', 'create_session', 'join_session', 'leave_session', 'touch_participant',
  'extend_session', 'close_session', 'send_message', 'send_messages', 'messages_since', 'session_stats',
  'cleanup_stale_activity', 'get_session_activities', 'claim_messages', 'extend_lease', 'complete_message',
  'fail_message', 'release_message', 'retry_failed', 'cleanup_expired_sessions', 'delete_closed_sessions',
  'cleanup_participants', 'cleanup_activity', 'cleanup_job_runs', 'schedule_cleanup', 'cleanup_status'
]);
select is_empty(
  'select proname from ours group by proname having count(*) > 1',
  'No function is overloaded: the API could not tell the forms apart.'
);
select is_empty(
  $$ select proname from ours where proconfig is distinct from array['search_path=""'] $$,
  'Every function has an empty search_path.'
);
select set_eq(
  'select proname from ours where prosecdef',
  array[
    'require_live_session', 'count_participants', 'notice_absent', 'start_revisions', 'number_new_message',
    'number_message_update', 'settle_job', 'hold_counter', 'hold_back', 'cleanup_status'
  ]::name[],
  'Only these run with the rights of their owner; all others have those of the caller.'
);
select set_eq(
  $$ select proname from ours where prosecdef and prorettype <> 'trigger'::regtype $$,
  array['hold_counter', 'hold_back', 'cleanup_status']::name[],
  'Of those, three can be called; the others are triggers.'
);
select set_eq(
  $$ select proname from ours where provolatile <> 'v' $$,
  array[
    'messages_since', 'session_stats', 'metric', 'delivered_metrics', 'leased_sessions', 'get_session_activities', 'cleanup_jobs',
    'cleanup_status'
  ]::name[],
  'Only these promise to change nothing.'
);

select triggers_are('public', 'messages', array[
  'trigger_messages_number_insert', 'trigger_messages_number_update',
  'trigger_messages_settle_job'
]);
select triggers_are('public', 'session_participants', array[
  'trigger_participants_count', 'trigger_participants_recount', 'trigger_participants_keep_facts',
  'trigger_participants_live_session', 'trigger_participants_notice_absent'
]);
select triggers_are('public', 'user_activity', array[
  'trigger_activity_keep_and_stamp', 'trigger_activity_live_session', 'trigger_activity_cleanup'
]);

select * from finish();
rollback;
