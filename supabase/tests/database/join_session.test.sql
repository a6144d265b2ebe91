-- Joining: once for each participant, counted, and refused with a reason.
begin;
create extension if not exists pgtap with schema extensions;
select plan(29);

\ir refusal.psql
-- The code of the session that most of this is about.
create function pg_temp.code() returns text language sql stable as $$
  select s.code from public.sessions s where s.id = '00000000-0000-4000-8000-000000000001'
$$;
create function pg_temp.present() returns integer language sql stable as $$
  select s.user_count from public.sessions s where s.id = '00000000-0000-4000-8000-000000000001'
$$;

set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');

create temporary table joined as
select * from join_session(pg_temp.code(), '00000000-0000-4000-8000-00000000000a', 'en');
select results_eq(
  'table joined', $$ select * from public.sessions where id = '00000000-0000-4000-8000-000000000001' $$,
  'Joining returns the session as it is then.'
);
select is(pg_temp.present(), 1, 'The first participant is counted.');
select ok(
  (select last_activity > created_at from public.sessions where id = '00000000-0000-4000-8000-000000000001'),
  'Joining is an activity of the session.'
);
select is(
  (select user_count from join_session(pg_temp.code(), '00000000-0000-4000-8000-00000000000a', 'en')), 1,
  'Joining twice counts once.'
);
select is(
  (select user_count from join_session(pg_temp.code(), '00000000-0000-4000-8000-00000000000b', 'es')), 2,
  'The second participant is counted.'
);
create temporary table first_join as
select joined_at, last_seen from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a';
select is(
  (select user_count from join_session(pg_temp.code(), '00000000-0000-4000-8000-00000000000a', 'pt-BR')), 2,
  'Joining with another language counts nobody anew.'
);
select is(
  (select lang from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'), 'pt-BR',
  'It changes the language.'
);
select is(
  (select joined_at from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'),
  (select joined_at from first_join), 'It does not change when they joined.'
);
select ok(
  (select p.last_seen > f.last_seen from public.session_participants p, first_join f
   where p.user_id = '00000000-0000-4000-8000-00000000000a'),
  'It is a sign of life.'
);

select is((select user_count from join_session(pg_temp.code())), 3, 'Without a name, the code alone joins.');
select is((select user_count from join_session(pg_temp.code())), 4, 'Without a name every call counts.');
select is(
  (select count(*) from public.session_participants
   where session_id = '00000000-0000-4000-8000-000000000001' and lang is null),
  2::bigint, 'Who has no name has no language.'
);

select lives_ok(
  $$ insert into public.session_participants (session_id, user_id, lang)
     values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000c', 'fr') $$,
  'A plain insert joins as well.'
);
select is(pg_temp.present(), 5, 'It counts as well.');
select throws_ok(
  $$ select join_session(pg_temp.code(), '00000000-0000-4000-8000-00000000000d', 'e') $$, '23514', null,
  'A language that is none is refused.'
);
select is(pg_temp.present(), 5, 'Whoever was refused is not counted.');

select is(
  pg_temp.refusal($$ select join_session(pg_temp.code(), user_id => '00000000-0000-4000-8000-00000000000d') $$),
  'PT400 | A participant needs both a user_id and a lang | Only one of the two was given.'
  ' | Give both, or neither to be counted without a name.',
  'A user without a language is refused.'
);
select is(
  pg_temp.refusal($$ select join_session(pg_temp.code(), lang => 'en') $$),
  pg_temp.refusal($$ select join_session(pg_temp.code(), user_id => '00000000-0000-4000-8000-00000000000d') $$),
  'A language without a user too.'
);

create temporary table unknown as select code from create_session();
reset role;
delete from public.sessions where code = (select code from unknown);
set local role anon;
select is(
  pg_temp.refusal($$ select join_session((select code from unknown), gen_random_uuid(), 'en') $$),
  (select format('PT404 | Session not found or expired | No session has the code %s.'
                 ' | Create a session, or ask the other person for the code again.', code) from unknown),
  'A code that no session has is not found.'
);
select is(
  split_part(pg_temp.refusal($$ select join_session('nonsense', gen_random_uuid(), 'en') $$), ' | ', 3),
  'A session code has four digits.', 'Nor is what is no code.'
);
select is(
  split_part(pg_temp.refusal($$ select join_session(null, gen_random_uuid(), 'en') $$), ' | ', 1), 'PT404',
  'Nor is nothing.'
);
select is(
  split_part(pg_temp.refusal($$ select join_session('%', gen_random_uuid(), 'en') $$), ' | ', 1), 'PT404',
  'Nor does a wildcard find one.'
);

select create_session('00000000-0000-4000-8000-000000000002');
select close_session('00000000-0000-4000-8000-000000000002');
select is(
  pg_temp.refusal(format(
    $$ select join_session(%L, gen_random_uuid(), 'en') $$,
    (select code from public.sessions where id = '00000000-0000-4000-8000-000000000002')
  )),
  'PT410 | Session not found or expired | The session was closed or its time is over. | Create a new session.',
  'A closed session is gone.'
);
select is(
  (select user_count from public.sessions where id = '00000000-0000-4000-8000-000000000002'), 0,
  'Nobody has joined it.'
);
select lives_ok(
  format(
    $$ insert into public.sessions (id, code) values ('00000000-0000-4000-8000-000000000003', %L) $$,
    (select code from public.sessions where id = '00000000-0000-4000-8000-000000000002')
  ),
  'Another session gets its code.'
);
select is(
  (select id from join_session(
    (select code from public.sessions where id = '00000000-0000-4000-8000-000000000002'),
    '00000000-0000-4000-8000-00000000000a', 'en'
  )),
  '00000000-0000-4000-8000-000000000003', 'The code now leads there.'
);
select is(
  pg_temp.refusal($$
    insert into public.session_participants (session_id, user_id)
    values ('00000000-0000-4000-8000-000000000002', gen_random_uuid())
  $$),
  'PT410 | Session not found or expired | The session was closed or its time is over. | Create a new session.',
  'A plain insert does not get into the closed one.'
);
select is(
  pg_temp.refusal($$
    insert into public.session_participants (session_id, user_id)
    values ('00000000-0000-4000-8000-0000000000ff', gen_random_uuid())
  $$),
  'PT404 | Session not found or expired | There is no session with this id.'
  ' | Create a session, or ask the other person for the code again.',
  'Nor into one that does not exist.'
);
select is(
  (select count(*) from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'), 2::bigint,
  'A user takes part in several sessions.'
);

select * from finish();
rollback;
