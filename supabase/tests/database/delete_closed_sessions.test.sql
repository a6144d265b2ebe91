-- Deleting closed sessions: with all that belongs to them, when their retention is over, in batches.
begin;
create extension if not exists pgtap with schema extensions;
select plan(16);

-- The sessions that are left, by the last digit of their ids.
create function pg_temp.left_over() returns text language sql stable as $$
  select string_agg(right(s.id::text, 1), '' order by s.id) from public.sessions s
  where s.id::text like '00000000-0000-4000-8000-00000000000_'
$$;

-- Nothing else to delete, whatever was there.
update public.sessions set expires_at = now() where not is_active;
select create_session(('00000000-0000-4000-8000-00000000000' || digit)::uuid) from generate_series(1, 6) as digit;
select join_session(code, '00000000-0000-4000-8000-00000000000a', 'en') from public.sessions
where id = '00000000-0000-4000-8000-000000000001';
select send_message(
  '00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-00000000000a', 'Hello', 'en', 'es'
);
insert into public.user_activity (session_id, user_id, activity_type)
values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'typing');
insert into private.translation_jobs (message_id, worker, token)
values ('00000000-0000-4000-8000-000000000011', 'worker', gen_random_uuid());
-- 1 to 4 ended 34 to 31 days ago, 5 ended 29 days ago, 6 is over and not closed.
update public.sessions set is_active = false, expires_at = now() - interval '35 days' + right(id::text, 1)::integer * interval '1 day'
where right(id::text, 1) in ('1', '2', '3', '4') and id::text like '00000000-0000-4000-8000-00000000000_';
update public.sessions set is_active = false, expires_at = now() - interval '29 days'
where id = '00000000-0000-4000-8000-000000000005';
update public.sessions set expires_at = now() - interval '99 days' where id = '00000000-0000-4000-8000-000000000006';
update private.settings set session_retention = '30 days';

set local role service_role;
select is(delete_closed_sessions(2), 2, 'A batch says how many it deleted.');
select is(pg_temp.left_over(), '3456', 'The oldest go first.');
select is_empty(
  $$ select from public.messages where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'Their messages go along.'
);
select is_empty(
  $$ select from public.session_participants where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'Their participants too.'
);
select is_empty(
  $$ select from public.user_activity where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'Their activity too.'
);
select is_empty(
  $$ select from private.session_revisions where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'Their counter too.'
);
select is_empty(
  $$ select from private.translation_jobs where message_id = '00000000-0000-4000-8000-000000000011' $$,
  'What the queue knows of their messages too.'
);
select is(delete_closed_sessions(), 2, 'The next run deletes what was left over.');
select is(pg_temp.left_over(), '56', 'What ended 29 days ago is kept, and so is what nobody closed.');
select is(delete_closed_sessions(), 0, 'Then there is nothing to delete.');
select is(delete_closed_sessions(0), 0, 'A batch of none deletes none.');

update private.settings set session_retention = null;
select is(delete_closed_sessions(), 0, 'Without a retention nothing is ever deleted.');
select is(pg_temp.left_over(), '56', 'However old.');
update private.settings set session_retention = '1 day';
select is(delete_closed_sessions(), 1, 'The operator says how long sessions are kept.');
select cleanup_expired_sessions();
select is(delete_closed_sessions(), 1, 'What expired is deleted when it has been closed, counted from when it expired.');
select is(pg_temp.left_over(), null, 'All are gone.');

select * from finish();
rollback;
