-- Deleting activity: what is stale, and idle rows that nobody has used for an hour.
begin;
create extension if not exists pgtap with schema extensions;
select plan(9);

-- The activity that is left, by the last digit of its user.
create function pg_temp.left_over() returns text language sql stable as $$
  select string_agg(right(a.user_id::text, 1), '' order by a.user_id) from public.user_activity a
  where a.session_id = '00000000-0000-4000-8000-000000000001'
$$;

select create_session('00000000-0000-4000-8000-000000000001');
-- Ours alone. Time cannot be waited for within a transaction: the stamping trigger looks away.
delete from public.user_activity;
-- Statistics of an empty table, and a nested loop: the plan in which a batch is asked for again for each row.
analyze public.user_activity;
set local enable_hashjoin = off;
set local enable_mergejoin = off;
set local enable_hashagg = off;
set local enable_sort = off;
alter table public.user_activity disable trigger user;
insert into public.user_activity (session_id, user_id, activity_type, updated_at)
select '00000000-0000-4000-8000-000000000001', ('00000000-0000-4000-8000-00000000000' || digit)::uuid, what, now() - ago
from (values
  ('1', 'typing', interval '4 seconds'), ('2', 'typing', '6 seconds'), ('3', 'recording', '1 day'),
  ('4', 'processing', '1 minute'), ('5', 'idle', '1 minute'), ('6', 'idle', '59 minutes'), ('7', 'idle', '61 minutes'),
  ('8', 'idle', '1 year')
) as activities (digit, what, ago);
alter table public.user_activity enable trigger user;
create temporary table before as select * from public.user_activity;

set local role service_role;
select is(cleanup_activity(0), 0, 'A batch of none deletes none.');
select is(cleanup_activity(1), 2, 'A batch of one deletes one that is stale, and one that is long idle.');
select is(cleanup_activity(), 3, 'The next run deletes the rest, and says how many.');
select is(pg_temp.left_over(), '156', 'What is fresh is left, and who was idle for less than an hour.');
select is(cleanup_activity(), 0, 'Then there is nothing to delete.');
reset role;
select is_empty(
  'select a.* from public.user_activity a except table before', 'What is left is as it was.'
);
select is(
  (select a.activity_type from public.user_activity a where a.user_id = '00000000-0000-4000-8000-000000000006'), 'idle',
  'Fifty-nine minutes of idleness are not long.'
);
set local role anon;
select throws_ok(
  'select cleanup_activity()', '42501', 'permission denied for function cleanup_activity', 'anon does not run it.'
);
select lives_ok(
  $$ insert into public.user_activity (session_id, user_id, activity_type)
     values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', 'typing') $$,
  'Whose activity was deleted types again.'
);

select * from finish();
rollback;
