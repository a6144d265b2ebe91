-- Row level security: on for every table, with the policies of the open demo mode, by their names.
begin;
create extension if not exists pgtap with schema extensions;
select plan(10);

select is_empty(
  $$ select oid::regclass from pg_catalog.pg_class
     where relnamespace in ('public'::regnamespace, 'private'::regnamespace) and relkind = 'r' and not relrowsecurity $$,
  'Row level security is on for every table.'
);
select policies_are('public', 'sessions', array[
  'Anyone can read sessions', 'Anyone can create sessions', 'Anyone can update sessions'
]);
select policies_are('public', 'session_participants', array[
  'Anyone can read participants', 'Whoever sees a session can join it', 'Whoever sees a session can update its participants'
]);
select policies_are('public', 'messages', array[
  'Anyone can read messages', 'Anyone can create messages', 'Anyone can update messages'
]);
select policies_are('public', 'user_activity', array['Anyone can manage activity']);
select is_empty(
  $$ select policyname from pg_catalog.pg_policies where schemaname = 'private' $$,
  'Nothing private is opened by a policy.'
);
select results_eq(
  $$ select tablename, cmd, policyname from pg_catalog.pg_policies
     where schemaname = 'public' order by tablename, cmd $$,
  $$ values
    ('messages'::name, 'INSERT', 'Anyone can create messages'::name),
    ('messages', 'SELECT', 'Anyone can read messages'),
    ('messages', 'UPDATE', 'Anyone can update messages'),
    ('session_participants', 'INSERT', 'Whoever sees a session can join it'),
    ('session_participants', 'SELECT', 'Anyone can read participants'),
    ('session_participants', 'UPDATE', 'Whoever sees a session can update its participants'),
    ('sessions', 'INSERT', 'Anyone can create sessions'),
    ('sessions', 'SELECT', 'Anyone can read sessions'),
    ('sessions', 'UPDATE', 'Anyone can update sessions'),
    ('user_activity', 'ALL', 'Anyone can manage activity')
  $$,
  'Each policy allows what its name says.'
);
select is_empty(
  $$ select policyname from pg_catalog.pg_policies
     where schemaname = 'public' and tablename <> 'user_activity' and cmd in ('DELETE', 'ALL') $$,
  'Only activity can be deleted.'
);
select is_empty(
  $$ select policyname from pg_catalog.pg_policies
     where schemaname = 'public' and tablename <> 'session_participants' and (coalesce(qual, 'true') <> 'true' or coalesce(with_check, 'true') <> 'true') $$,
  'Open demo mode: no policy asks who it is; participants are as open as their session.'
);
select is_empty(
  $$ select policyname from pg_catalog.pg_policies where schemaname = 'public' and permissive <> 'PERMISSIVE' $$,
  'Nor does one forbid.'
);

select * from finish();
rollback;
