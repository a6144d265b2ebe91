-- Codes: who may have which, and what happens when all are taken.
begin;
create extension if not exists pgtap with schema extensions;
select plan(17);

\ir refusal.psql

set local role anon;

select matches(generate_unique_session_code()::text, '^[0-9]{4}$', 'A code has four digits.');
select is(
  (select (id, is_active, user_count)::text
   from create_session('00000000-0000-4000-8000-000000000001')),
  '(00000000-0000-4000-8000-000000000001,t,0)',
  'A new session has the id of its request, is active, and nobody is in it.'
);
select is(
  (select expires_at - created_at from public.sessions where id = '00000000-0000-4000-8000-000000000001'),
  interval '4 hours', 'It lasts four hours.'
);
select is(
  create_session('00000000-0000-4000-8000-000000000001'),
  (select s from public.sessions s where s.id = '00000000-0000-4000-8000-000000000001'),
  'The same request again returns the first session.'
);
select isnt(
  (select id from create_session()), (select id from create_session()), 'Without a request each call is another session.'
);
select is(
  (select count(distinct code) from public.sessions where created_at = now() and is_active), 3::bigint,
  'No two of them share a code.'
);

-- Nearly all codes are taken.
reset role;
update public.sessions set is_active = false where is_active and id <> '00000000-0000-4000-8000-000000000001';
update public.sessions set code = '0001' where id = '00000000-0000-4000-8000-000000000001';
insert into public.sessions (code)
select lpad(n::text, 4, '0') from generate_series(0, 9999) as n
where not exists (select from public.sessions s where s.code = lpad(n::text, 4, '0') and s.is_active);
update public.sessions set is_active = false
where is_active and code in ('0042', '7777');
select is((select count(*) from public.sessions where is_active), 9998::bigint, 'Two codes are free.');

set local role anon;
create temporary table last_two as select code from create_session() union all select code from create_session();
select set_eq('table last_two', array['0042', '7777']::varchar[], 'The last two free codes are found.');

select is(
  pg_temp.refusal('select create_session()'),
  'PT409 | No free session code | All 10,000 codes belong to active sessions.'
  ' | Try again when a session has been closed or has expired.',
  'With all 10,000 taken, creating a session is refused at once.'
);
select is(
  pg_temp.refusal('select generate_unique_session_code()'), pg_temp.refusal('select create_session()'),
  'So is drawing a code.'
);
select is(
  pg_temp.refusal($$ select create_session('00000000-0000-4000-8000-000000000001') $$), null,
  'A request that was answered before still has its session.'
);

select lives_ok(
  $$ select close_session(s.id) from public.sessions s where s.code = '0042' and s.is_active $$,
  'A session is closed.'
);
select is(generate_unique_session_code(), '0042', 'Its code can be drawn at once.');
select is((select code from create_session('00000000-0000-4000-8000-000000000002')), '0042', 'And be given away.');

reset role;
update public.sessions set expires_at = now() - interval '1 second' where code = '7777' and is_active;
set local role anon;
select is(
  (select code from create_session('00000000-0000-4000-8000-000000000003')), '7777',
  'The code of an expired session that nobody closed is given away at once too.'
);
select is(
  (select count(*) from public.sessions where code = '7777' and is_active), 1::bigint,
  'The expired session is closed by that.'
);
select is(
  (select bool_and(is_active = (id = '00000000-0000-4000-8000-000000000003')) from public.sessions
   where code = '7777' and created_at = now()),
  true, 'The code is the new session''s alone.'
);

select * from finish();
rollback;
