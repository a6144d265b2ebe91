-- What anon, whoever holds the public key, does and is refused.
-- The policies are those of the open demo mode; what no policy opens stays shut.
begin;
create extension if not exists pgtap with schema extensions;
select plan(37);

\ir others.psql

set local role anon;

select isnt_empty(
  $$ select from public.sessions where id = '00000000-0000-4000-8000-000000000001' $$, 'anon reads any session.'
);
select isnt_empty(
  $$ select from public.session_participants where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'anon reads who takes part in it.'
);
select isnt_empty(
  $$ select from public.messages where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'anon reads what was said.'
);
select isnt_empty(
  $$ select from public.user_activity where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'anon reads who is typing.'
);

select lives_ok(
  $$ insert into public.sessions (id, code)
     values ('00000000-0000-4000-8000-000000000002', generate_unique_session_code()) $$,
  'anon creates a session by a plain insert.'
);
select lives_ok(
  $$ insert into public.session_participants (session_id, user_id, lang)
     values ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-00000000000b', 'es') $$,
  'anon joins by a plain insert.'
);
select lives_ok(
  $$ update public.session_participants set lang = 'pt', last_seen = now()
     where session_id = '00000000-0000-4000-8000-000000000002' $$,
  'anon changes language by a plain update.'
);
select lives_ok(
  $$ insert into public.messages (session_id, user_id, original, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b', 'Hola', 'es', 'en') $$,
  'anon writes a message by a plain insert.'
);
select results_eq(
  $$ update public.messages set translation = 'Hola', status = 'processing'
     where id = '00000000-0000-4000-8000-000000000011' returning status $$,
  $$ values ('processing'::varchar) $$,
  'anon translates a message by a plain update.'
);
select lives_ok(
  $$ insert into public.user_activity (session_id, user_id, activity_type)
     values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b', 'typing')
     on conflict (session_id, user_id) do update set activity_type = excluded.activity_type $$,
  'anon says what they do by an upsert.'
);
select results_eq(
  $$ delete from public.user_activity where user_id = '00000000-0000-4000-8000-00000000000b' returning activity_type $$,
  $$ values ('typing'::varchar) $$,
  'anon deletes activity.'
);
select results_eq(
  $$ update public.sessions set is_active = false
     where id = '00000000-0000-4000-8000-000000000002' returning is_active $$,
  $$ values (false) $$,
  'anon closes a session by a plain update.'
);

select throws_ok(
  'delete from public.sessions', '42501', 'permission denied for table sessions', 'anon deletes no session.'
);
select throws_ok(
  'delete from public.messages', '42501', 'permission denied for table messages', 'anon deletes no message.'
);
select throws_ok(
  'delete from public.session_participants', '42501', 'permission denied for table session_participants',
  'anon deletes no participant: who leaves says so.'
);
select throws_ok(
  'truncate public.user_activity', '42501', 'permission denied for table user_activity', 'anon empties no table.'
);
select throws_ok(
  'create table public.mine ()', '42501', 'permission denied for schema public', 'anon creates no table.'
);
select throws_ok(
  'alter table public.messages disable row level security', '42501', 'must be owner of table messages',
  'anon does not turn row level security off.'
);
select throws_ok(
  $$ insert into public.session_participants (session_id, user_id, joined_at)
     values ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), '2000-01-01') $$,
  '42501', 'permission denied for table session_participants', 'anon does not say when they joined.'
);
select throws_ok(
  'update public.session_participants set user_id = gen_random_uuid()', '42501',
  'permission denied for table session_participants', 'anon makes nobody somebody else.'
);
select throws_ok(
  'update public.session_participants set is_away = true', '42501',
  'permission denied for table session_participants', 'anon does not say who is away.'
);

select throws_ok(
  'select from private.settings', '42501', 'permission denied for table settings', 'anon reads no settings.'
);
select throws_ok(
  $$ update private.settings set session_retention = null $$, '42501', 'permission denied for table settings',
  'anon changes no settings.'
);
select throws_ok(
  'select from private.session_revisions', '42501', 'permission denied for table session_revisions',
  'anon reads no counters.'
);
select throws_ok(
  'update private.session_revisions set rev = 0', '42501', 'permission denied for table session_revisions',
  'anon sets no counters back.'
);
select throws_ok(
  'select token from private.translation_jobs', '42501', 'permission denied for table translation_jobs',
  'anon reads no worker''s token.'
);
select throws_ok(
  'create table private.mine ()', '42501', 'permission denied for schema private', 'anon creates nothing private.'
);
select throws_ok(
  'select private.cleanup_jobs()', '42501', 'permission denied for function cleanup_jobs',
  'anon calls no private function.'
);

select throws_ok(
  $$ select claim_messages('anon') $$, '42501', 'permission denied for function claim_messages',
  'anon claims no message.'
);
select throws_ok(
  $$ select extend_lease('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000ee') $$, '42501',
  'permission denied for function extend_lease', 'anon extends no lease, even with its token.'
);
select throws_ok(
  $$ select complete_message('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000ee', 'Hola') $$,
  '42501', 'permission denied for function complete_message', 'anon completes no claim.'
);
select throws_ok(
  $$ select fail_message('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000ee', 'no') $$,
  '42501', 'permission denied for function fail_message', 'anon fails no claim.'
);
select throws_ok(
  $$ select release_message('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000ee') $$,
  '42501', 'permission denied for function release_message', 'anon gives no claim back.'
);
select throws_ok(
  $$ select retry_failed('00000000-0000-4000-8000-000000000001') $$, '42501',
  'permission denied for function retry_failed', 'anon retries nothing.'
);
select throws_ok(
  'select cleanup_expired_sessions()', '42501', 'permission denied for function cleanup_expired_sessions',
  'anon closes no expired sessions.'
);
select throws_ok(
  'select delete_closed_sessions()', '42501', 'permission denied for function delete_closed_sessions',
  'anon deletes no closed sessions.'
);
select throws_ok(
  'select * from cleanup_status()', '42501', 'permission denied for function cleanup_status',
  'anon does not ask after the clean-up.'
);

select * from finish();
rollback;
