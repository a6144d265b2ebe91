-- Facts of a session and its participants that are the database's: what a client sends for them is ignored.
begin;
create extension if not exists pgtap with schema extensions;
select plan(22);

select create_session('00000000-0000-4000-8000-000000000001');
select join_session(
  (select code from public.sessions where id = '00000000-0000-4000-8000-000000000001'),
  '00000000-0000-4000-8000-00000000000a', 'en'
);
create temporary table before as select * from public.sessions where id = '00000000-0000-4000-8000-000000000001';
create temporary table joined as
select * from public.session_participants where session_id = '00000000-0000-4000-8000-000000000001';
grant select on before, joined to anon, authenticated;

set local role anon;

select lives_ok(
  $$ insert into public.sessions (id, code, user_count, created_at, last_activity, expires_at)
     values ('00000000-0000-4000-8000-000000000002', generate_unique_session_code(), 77, '2000-01-01', '2100-01-01', 'infinity') $$,
  'A client creates a session, and forges what it can.'
);
select is(
  (select user_count from public.sessions where id = '00000000-0000-4000-8000-000000000002'), 0, 'Nobody is in it.'
);
select is(
  (select created_at from public.sessions where id = '00000000-0000-4000-8000-000000000002'), now(),
  'It was created now.'
);
select is(
  (select last_activity from public.sessions where id = '00000000-0000-4000-8000-000000000002'), now(),
  'Nothing happened after now.'
);
select is(
  (select expires_at from public.sessions where id = '00000000-0000-4000-8000-000000000002'),
  now() + interval '24 hours', 'It ends after 24 hours.'
);

select lives_ok(
  $$ update public.sessions
     set id = gen_random_uuid(), code = '0000', user_count = 77, created_at = '2000-01-01', last_activity = '2100-01-01'
     where id = '00000000-0000-4000-8000-000000000001' $$,
  'A client changes a session, and forges what it can.'
);
select results_eq(
  $$ select * from public.sessions where id = '00000000-0000-4000-8000-000000000001' $$, 'table before',
  'Nothing of it has changed.'
);
select results_eq(
  $$ update public.sessions set expires_at = now() + interval '1 year'
     where id = '00000000-0000-4000-8000-000000000001' returning expires_at - created_at $$,
  $$ values (interval '24 hours') $$,
  'A client that moves the end gets 24 hours from the start, at most.'
);
select results_eq(
  $$ update public.sessions set expires_at = created_at + interval '5 hours'
     where id = '00000000-0000-4000-8000-000000000001' returning expires_at - created_at $$,
  $$ values (interval '5 hours') $$,
  'Within these it may move the end.'
);

select lives_ok(
  $$ update public.session_participants
     set joined_at = '2000-01-01', last_seen = '2100-01-01', left_at = null, lang = 'fr'
     where user_id = '00000000-0000-4000-8000-00000000000a' $$,
  'A client changes a participant, and forges what it can.'
);
select is(
  (select p.joined_at from public.session_participants p
   where p.user_id = '00000000-0000-4000-8000-00000000000a'),
  (select joined_at from joined), 'They joined when they joined.'
);
select ok(
  (select p.last_seen between j.last_seen and clock_timestamp()
   from public.session_participants p, joined j where p.user_id = j.user_id and p.session_id = j.session_id),
  'They were last seen now, not in a hundred years.'
);
select is(
  (select lang from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'), 'fr',
  'The language is theirs to change.'
);
select lives_ok(
  $$ update public.session_participants set left_at = '2000-01-01'
     where user_id = '00000000-0000-4000-8000-00000000000a' $$,
  'They leave, long ago.'
);
select ok(
  (select left_at between now() and clock_timestamp() from public.session_participants
   where user_id = '00000000-0000-4000-8000-00000000000a'),
  'They left now.'
);
create temporary table gone as
select left_at from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a';
update public.session_participants set left_at = '2100-01-01' where user_id = '00000000-0000-4000-8000-00000000000a';
select is(
  (select left_at from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'),
  (select left_at from gone), 'Leaving again does not change when.'
);
select is(
  (select joined_at from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'),
  (select joined_at from joined), 'Nor when they joined.'
);
select is(
  (select user_count from public.sessions where id = '00000000-0000-4000-8000-000000000001'), 0,
  'Whatever way they leave, they are not counted.'
);
update public.session_participants set left_at = null where user_id = '00000000-0000-4000-8000-00000000000a';
select is(
  (select user_count from public.sessions where id = '00000000-0000-4000-8000-000000000001'), 1,
  'Whatever way they come back, they are.'
);
select ok(
  (select p.joined_at > j.joined_at from public.session_participants p, joined j where p.user_id = j.user_id),
  'Who comes back has joined anew.'
);

set local role authenticated;
select results_eq(
  $$ update public.sessions set user_count = 77, last_activity = 'infinity'
     where id = '00000000-0000-4000-8000-000000000001' returning user_count, isfinite(last_activity) $$,
  $$ values (1, true) $$,
  'Signing in forges nothing more.'
);

reset role;
select results_eq(
  $$ update public.sessions set expires_at = now() + interval '365 days'
     where id = '00000000-0000-4000-8000-000000000001' returning expires_at - now() $$,
  $$ values (interval '365 days') $$,
  'The operator is not bound to 24 hours.'
);

select * from finish();
rollback;
