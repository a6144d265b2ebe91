-- What authenticated, somebody who signed in, does and is refused.
-- The policies are those of the open demo mode; signing in opens nothing more.
begin;
create extension if not exists pgtap with schema extensions;
select plan(26);

\ir others.psql

set local role authenticated;

select isnt_empty(
  $$ select from public.sessions where id = '00000000-0000-4000-8000-000000000001' $$, 'authenticated reads any session.'
);
select isnt_empty(
  $$ select from public.session_participants where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'authenticated reads who takes part in it.'
);
select isnt_empty(
  $$ select from public.messages where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'authenticated reads what was said.'
);
select isnt_empty(
  $$ select from public.user_activity where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'authenticated reads who is typing.'
);

select lives_ok(
  $$ select create_session('00000000-0000-4000-8000-000000000002') $$, 'authenticated creates a session.'
);
select isnt(
  (select join_session(s.code, '00000000-0000-4000-8000-00000000000b', 'es') from public.sessions s
   where s.id = '00000000-0000-4000-8000-000000000001'),
  null, 'authenticated joins one.'
);
select ok(
  touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b'),
  'authenticated shows a sign of life.'
);
select lives_ok(
  $$ select send_message(gen_random_uuid(), '00000000-0000-4000-8000-000000000001',
                         '00000000-0000-4000-8000-00000000000b', 'Hola', 'es') $$,
  'authenticated sends a message.'
);
select lives_ok(
  $$ select send_messages('00000000-0000-4000-8000-000000000001', jsonb_build_array(jsonb_build_object(
       'id', gen_random_uuid(), 'user_id', '00000000-0000-4000-8000-00000000000b', 'original', 'Hola',
       'original_lang', 'es'))) $$,
  'authenticated sends several.'
);
select results_eq(
  $$ update public.messages set status = 'displayed'
     where id = '00000000-0000-4000-8000-000000000011' returning status $$,
  $$ values ('displayed'::varchar) $$,
  'authenticated displays a message of others.'
);
select isnt_empty(
  $$ select from messages_since('00000000-0000-4000-8000-000000000001') $$, 'authenticated catches up.'
);
select lives_ok(
  $$ select leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b') $$,
  'authenticated leaves.'
);
select lives_ok(
  $$ select close_session('00000000-0000-4000-8000-000000000002') $$, 'authenticated closes a session.'
);

select throws_ok(
  'delete from public.sessions', '42501', 'permission denied for table sessions', 'authenticated deletes no session.'
);
select throws_ok(
  'delete from public.messages', '42501', 'permission denied for table messages', 'authenticated deletes no message.'
);
select throws_ok(
  'delete from public.session_participants', '42501', 'permission denied for table session_participants',
  'authenticated deletes no participant.'
);
select throws_ok(
  'truncate public.messages', '42501', 'permission denied for table messages', 'authenticated empties no table.'
);
select throws_ok(
  'update public.session_participants set is_away = true', '42501',
  'permission denied for table session_participants', 'authenticated does not say who is away.'
);
select throws_ok(
  'select from private.settings', '42501', 'permission denied for table settings', 'authenticated reads no settings.'
);
select throws_ok(
  'select token from private.translation_jobs', '42501', 'permission denied for table translation_jobs',
  'authenticated reads no worker''s token.'
);
select throws_ok(
  'select from private.session_revisions', '42501', 'permission denied for table session_revisions',
  'authenticated reads no counters.'
);
select throws_ok(
  $$ select claim_messages('authenticated') $$, '42501', 'permission denied for function claim_messages',
  'authenticated claims no message.'
);
select throws_ok(
  $$ select complete_message('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000ee', 'Hola') $$,
  '42501', 'permission denied for function complete_message', 'authenticated completes no claim.'
);
select throws_ok(
  $$ select retry_failed('00000000-0000-4000-8000-000000000001') $$, '42501',
  'permission denied for function retry_failed', 'authenticated retries nothing.'
);
select throws_ok(
  'select delete_closed_sessions()', '42501', 'permission denied for function delete_closed_sessions',
  'authenticated deletes no closed sessions.'
);
select throws_ok(
  'select * from cleanup_status()', '42501', 'permission denied for function cleanup_status',
  'authenticated does not ask after the clean-up.'
);

select * from finish();
rollback;
