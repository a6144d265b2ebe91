-- The grants: what each role may do with each table and function, and what it may not.
begin;
create extension if not exists pgtap with schema extensions;
select plan(75);

create temporary view clients as select unnest(array['anon', 'authenticated']::name[]) as role;

select table_privs_are(
  'public', named, role, array['SELECT', 'INSERT', 'UPDATE'],
  format('%s reads, creates and updates %s, and does not delete or truncate.', role, named)
)
from clients, unnest(array['sessions', 'messages']::name[]) as named;
select table_privs_are(
  'public', 'user_activity', role, array['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  format('%s may also delete activity, and not truncate.', role)
)
from clients;
select table_privs_are(
  'public', 'session_participants', role, array['SELECT'], format('%s reads participants as a whole.', role)
)
from clients;
select column_privs_are(
  'public', 'session_participants', named, role, allowed::text[],
  format('%s may %s %s of a participant.', role, array_to_string(allowed, ', '), named)
)
from clients, (values
  ('session_id'::name, array['SELECT', 'INSERT']),
  ('user_id', array['SELECT', 'INSERT']),
  ('lang', array['SELECT', 'INSERT', 'UPDATE']),
  ('joined_at', array['SELECT', 'UPDATE']),
  ('last_seen', array['SELECT', 'UPDATE']),
  ('left_at', array['SELECT', 'UPDATE']),
  ('is_away', array['SELECT'])
) as columns (named, allowed);
select table_privs_are(
  'private', named, role, array[]::text[], format('%s has no right on private.%s.', role, named)
)
from clients, unnest(array['settings', 'session_revisions', 'translation_jobs']::name[]) as named;

select set_eq(
  format(
    $$ select p.oid::regprocedure::text from pg_catalog.pg_proc p
       where p.pronamespace = 'public'::regnamespace and has_function_privilege(%L, p.oid, 'execute') $$, role
  ),
  array[
    'generate_unique_session_code()', 'create_session(uuid)', 'join_session(text,uuid,text)',
    'leave_session(uuid,uuid)', 'touch_participant(uuid,uuid)', 'extend_session(uuid,interval)',
    'close_session(uuid)', 'send_message(uuid,uuid,uuid,text,text,text,interval)',
    'send_messages(uuid,jsonb)', 'messages_since(uuid,bigint,integer)', 'session_stats(uuid)', 'get_session_activities(uuid)'
  ],
  format('%s calls what a conversation needs, and no other function.', role)
)
from clients;
select set_eq(
  format(
    $$ select p.proname from pg_catalog.pg_proc p
       where p.pronamespace = 'private'::regnamespace and has_function_privilege(%L, p.oid, 'execute') $$, role
  ),
  array['require_live', 'hold_counter', 'hold_back', 'metric']::name[],
  format('%s calls four private functions, which tell nothing.', role)
)
from clients;
select function_privs_are(
  'public', named, types::text[], role, array[]::text[], format('%s may not call %s().', role, named)
)
from clients, (values
  ('claim_messages'::name, array['text', 'integer', 'interval', 'boolean', 'integer']),
  ('extend_lease', array['uuid', 'uuid', 'interval']),
  ('complete_message', array['uuid', 'uuid', 'text', 'jsonb']),
  ('fail_message', array['uuid', 'uuid', 'text']),
  ('release_message', array['uuid', 'uuid']),
  ('retry_failed', array['uuid']),
  ('cleanup_expired_sessions', array[]::text[]),
  ('delete_closed_sessions', array['integer']),
  ('cleanup_participants', array['integer']),
  ('cleanup_activity', array['integer']),
  ('cleanup_job_runs', array[]::text[]),
  ('schedule_cleanup', array[]::text[]),
  ('cleanup_status', array[]::text[]),
  ('cleanup_stale_activity', array[]::text[])
) as denied (named, types);

select ok(
  has_table_privilege('service_role', named::regclass, 'select, insert, update, delete'),
  format('service_role may do everything with %s.', named)
)
from unnest(array['public.sessions', 'public.session_participants', 'public.messages', 'public.user_activity']) as named;
select table_privs_are(
  'private', named, 'service_role', allowed::text[],
  format('service_role may %s private.%s.', array_to_string(allowed, ', '), named)
)
from (values
  ('settings'::name, array['SELECT', 'UPDATE']),
  ('session_revisions', array['SELECT', 'UPDATE']),
  ('translation_jobs', array['SELECT', 'INSERT', 'UPDATE'])
) as tables (named, allowed);
select is_empty(
  $$ select p.proname from pg_catalog.pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
       and p.proname not in ('schedule_cleanup', 'cleanup_job_runs')
       and not has_function_privilege('service_role', p.oid, 'execute') $$,
  'service_role calls every function but the two that reach into schema cron.'
);
select function_privs_are(
  'public', named, array[]::text[], 'service_role', array[]::text[], format('service_role may not call %s().', named)
)
from unnest(array['schedule_cleanup', 'cleanup_job_runs']::name[]) as named;
select schema_privs_are(
  'private', role, array['USAGE'], format('%s uses the schema private, and creates nothing in it.', role)
)
from unnest(array['anon', 'authenticated', 'service_role']::name[]) as role;
select is_empty(
  $$ select c.oid::regclass from pg_catalog.pg_class c, aclexplode(c.relacl) as granted
     where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and granted.grantee = 0 $$,
  'No right on a table is everybody''s.'
);
select is_empty(
  $$ select p.oid::regprocedure from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as granted
     where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace) and granted.grantee = 0 $$,
  'Nor on a function.'
);

select * from finish();
rollback;
