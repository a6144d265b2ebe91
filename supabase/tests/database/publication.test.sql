-- Realtime: what subscribers may listen to, and what they may not.
begin;
create extension if not exists pgtap with schema extensions;
select plan(6);

select set_eq(
  $$ select schemaname || '.' || tablename from pg_catalog.pg_publication_tables where pubname = 'supabase_realtime' $$,
  array['public.messages', 'public.user_activity', 'public.sessions'],
  'Messages, activity and sessions are published, and nothing else.'
);
select is_empty(
  $$ select from pg_catalog.pg_publication_tables where schemaname = 'private' $$,
  'Tokens and workers of the queue are in no publication.'
);
select is_empty(
  $$ select from pg_catalog.pg_publication_tables where tablename = 'session_participants' $$,
  'Nor are participants: a change of theirs shows in their session.'
);
select ok(
  (select p.pubinsert and p.pubupdate and p.pubdelete from pg_catalog.pg_publication p where p.pubname = 'supabase_realtime'),
  'New, changed and deleted rows are all told.'
);
select is_empty(
  $$ select from pg_catalog.pg_publication_tables
     where pubname = 'supabase_realtime' and rowfilter is not null $$,
  'No row is held back.'
);
select is_empty(
  $$ select t.tablename, a.attname from pg_catalog.pg_publication_tables t
     join pg_catalog.pg_attribute a on a.attrelid = format('%I.%I', t.schemaname, t.tablename)::regclass
     where t.pubname = 'supabase_realtime' and a.attnum > 0 and not a.attisdropped
       and not (a.attname = any(t.attnames)) $$,
  'No column is held back.'
);

select * from finish();
rollback;
