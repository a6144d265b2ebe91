-- Leaving: at most once, by name or without one.
begin;
create extension if not exists pgtap with schema extensions;
select plan(18);

create function pg_temp.present() returns integer language sql stable as $$
  select s.user_count from public.sessions s where s.id = '00000000-0000-4000-8000-000000000001'
$$;

set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');
create temporary table door as select code from public.sessions where id = '00000000-0000-4000-8000-000000000001';
select join_session(code, '00000000-0000-4000-8000-00000000000a', 'en') from door;
select join_session(code, '00000000-0000-4000-8000-00000000000b', 'es') from door;
select join_session(code) from door;
select is(pg_temp.present(), 3, 'Three are in.');

create temporary table gone as
select * from leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a');
select results_eq(
  'table gone', $$ select * from public.sessions where id = '00000000-0000-4000-8000-000000000001' $$,
  'Leaving returns the session as it is then.'
);
select is(pg_temp.present(), 2, 'Whoever left is not counted.');
select isnt(
  (select left_at from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'), null,
  'Their row says when they left.'
);
select is(
  (select left_at from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000b'), null,
  'The other is still there.'
);
select is(
  (select user_count from leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a')),
  2, 'Leaving twice counts once.'
);
select is(
  (select user_count from leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000ff')),
  2, 'Whoever never joined cannot leave.'
);
select is(
  (select id from leave_session('00000000-0000-4000-8000-0000000000ff', '00000000-0000-4000-8000-00000000000a')), null,
  'Leaving an unknown session does nothing, and is no error.'
);
select is(
  (select user_count from join_session((select code from door), '00000000-0000-4000-8000-00000000000a', 'en')), 3,
  'Whoever left can come back.'
);
select is(
  (select left_at from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'), null,
  'Then they have not left.'
);

select is(
  (select user_count from leave_session('00000000-0000-4000-8000-000000000001')), 2,
  'Without a name, one who joined without a name leaves.'
);
select is(
  (select count(*) from public.session_participants
   where session_id = '00000000-0000-4000-8000-000000000001' and lang is not null and left_at is not null),
  0::bigint, 'Nobody with a name is taken out for that.'
);
select is(
  (select user_count from leave_session('00000000-0000-4000-8000-000000000001')), 2,
  'When nobody without a name is left, nobody leaves.'
);

select leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a');
select leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b');
select is(pg_temp.present(), 0, 'All have left.');
select leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b');
select is(pg_temp.present(), 0, 'The count does not go below nobody.');

select join_session(code, '00000000-0000-4000-8000-00000000000a', 'en') from door;
select close_session('00000000-0000-4000-8000-000000000001');
select lives_ok(
  $$ select leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a') $$,
  'One can leave a session that is closed.'
);
select is(pg_temp.present(), 0, 'That is counted too.');

reset role;
delete from public.session_participants where session_id = '00000000-0000-4000-8000-000000000001';
select is(pg_temp.present(), 0, 'An operator who deletes participants leaves a true count.');

select * from finish();
rollback;
