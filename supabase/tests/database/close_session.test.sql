-- Closing a session: at once, and once.
begin;
create extension if not exists pgtap with schema extensions;
select plan(15);

\ir refusal.psql
set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');
create temporary table door as select code from public.sessions where id = '00000000-0000-4000-8000-000000000001';
select join_session(code, '00000000-0000-4000-8000-00000000000a', 'en') from door;
select send_message(
  '00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-00000000000a', 'Goodbye', 'en', 'es'
);

create temporary table closed as select * from close_session('00000000-0000-4000-8000-000000000001');
select is((select is_active from closed), false, 'The session is closed.');
select results_eq(
  'table closed', $$ select * from public.sessions where id = '00000000-0000-4000-8000-000000000001' $$,
  'Closing returns it as it is then.'
);
select ok(
  (select expires_at between now() and clock_timestamp() from closed), 'Its time ends at that moment.'
);
select results_eq(
  $$ select * from close_session('00000000-0000-4000-8000-000000000001') $$, 'table closed',
  'Closing twice changes nothing, nor when it ended.'
);
select is(
  pg_temp.refusal(format($$ select join_session(%L, gen_random_uuid(), 'es') $$, (select code from door))),
  'PT410 | Session not found or expired | The session was closed or its time is over. | Create a new session.',
  'Nobody joins it.'
);
select is(
  split_part(pg_temp.refusal($$
    select send_message(gen_random_uuid(), '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'Hi', 'en')
  $$), ' | ', 1),
  'PT410', 'Nobody writes; that nobody would be there to read is not the reason given.'
);
select is(
  split_part(pg_temp.refusal($$
    insert into public.user_activity (session_id, user_id, activity_type)
    values ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'typing')
  $$), ' | ', 1),
  'PT410', 'Nobody types.'
);
select is((select user_count from closed), 1, 'Whoever was in is still counted.');
select is(
  (select count(*) from messages_since('00000000-0000-4000-8000-000000000001')), 1::bigint,
  'What was said can be read.'
);
select lives_ok(
  $$ update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000011' $$,
  'What was said can be displayed.'
);
select lives_ok(
  format($$ insert into public.sessions (id, code) values ('00000000-0000-4000-8000-000000000002', %L) $$,
         (select code from door)),
  'Its code is free.'
);
update public.sessions set is_active = true, expires_at = now() + interval '1 hour'
where id = '00000000-0000-4000-8000-000000000001';
select is(
  (select is_active from public.sessions where id = '00000000-0000-4000-8000-000000000001'), false,
  'A client does not open it again.'
);
select is(
  pg_temp.refusal($$ select close_session('00000000-0000-4000-8000-0000000000ff') $$),
  'PT404 | Session not found or expired | There is no session with this id.'
  ' | Create a session, or ask the other person for the code again.',
  'An unknown session is not found.'
);
select is(
  split_part(pg_temp.refusal('select close_session(null)'), ' | ', 1), 'PT404', 'Nor is none.'
);

reset role;
update public.sessions set expires_at = now() - interval '1 day' where id = '00000000-0000-4000-8000-000000000002';
select is(
  (select (is_active, now() - expires_at)::text from close_session('00000000-0000-4000-8000-000000000002')),
  '(f,"1 day")', 'Closing an expired session leaves it when it ended.'
);

select * from finish();
rollback;
