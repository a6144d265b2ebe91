-- Activity: one row a user, stamped by the database, gone when stale.
begin;
create extension if not exists pgtap with schema extensions;
select plan(31);

create function pg_temp.do(who text, what text) returns public.user_activity language sql as $$
  insert into public.user_activity as a (session_id, user_id, activity_type)
  values ('00000000-0000-4000-8000-000000000001', ('00000000-0000-4000-8000-00000000000' || who)::uuid, what)
  on conflict (session_id, user_id) do update set activity_type = excluded.activity_type
  returning a
$$;
create function pg_temp.now_doing() returns text language sql stable as $$
  select string_agg(right(a.user_id::text, 1) || ' ' || a.activity_type, ', ')
  from get_session_activities('00000000-0000-4000-8000-000000000001') a
$$;
create function pg_temp.there() returns text language sql stable as $$
  select string_agg(right(a.user_id::text, 1) || ' ' || a.activity_type, ', ' order by a.user_id)
  from public.user_activity a where a.session_id = '00000000-0000-4000-8000-000000000001'
$$;
-- Time cannot be waited for within a transaction: a stamp goes back while the stamping trigger looks away.
create function pg_temp.age(who text, ago interval) returns void language plpgsql as $$
begin
  alter table public.user_activity disable trigger user;
  update public.user_activity set updated_at = now() - ago, started_at = now() - ago
  where user_id = ('00000000-0000-4000-8000-00000000000' || who)::uuid;
  alter table public.user_activity enable trigger user;
end;
$$;

-- Statistics of an empty table: the plan in which a batch of rows could be asked for again for each row.
delete from public.user_activity;
analyze public.user_activity;
select create_session('00000000-0000-4000-8000-000000000001');
set local role anon;

create temporary table typing as select * from pg_temp.do('a', 'typing');
select ok((select started_at between now() and clock_timestamp() from typing), 'An activity begins now.');
select is((select updated_at from typing), (select started_at from typing), 'The first sign of it is its beginning.');
create temporary table still as select * from pg_temp.do('a', 'typing');
select is((select id from still), (select id from typing), 'The next sign is of the same row.');
select ok((select s.updated_at > t.updated_at from still s, typing t), 'It moves the last sign.');
select is((select started_at from still), (select started_at from typing), 'It does not move the beginning.');
create temporary table recording as select * from pg_temp.do('a', 'recording');
select ok((select r.started_at > t.started_at from recording r, typing t), 'Another activity begins anew.');
select is((select id from recording), (select id from typing), 'In the same row: a user does one thing at a time.');

select results_eq(
  $$ update public.user_activity set started_at = '2000-01-01', updated_at = '2100-01-01', id = gen_random_uuid(),
       user_id = '00000000-0000-4000-8000-0000000000ff', session_id = '00000000-0000-4000-8000-0000000000ff'
     where id = (select id from typing)
     returning id, user_id, session_id, started_at $$,
  'select id, user_id, session_id, started_at from recording',
  'A client cannot forge whose it is, where, or since when.'
);
select ok(
  (select updated_at between now() and clock_timestamp() from public.user_activity where id = (select id from typing)),
  'Nor be active in the future.'
);
select results_eq(
  $$ insert into public.user_activity (session_id, user_id, activity_type, started_at, updated_at)
     values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b', 'typing', '2000-01-01', '2100-01-01')
     returning started_at > '2001-01-01', updated_at < '2099-01-01' $$,
  'values (true, true)', 'Not in a new row either.'
);

select is(pg_temp.now_doing(), 'a recording, b typing', 'All who do something are told, whoever began first.');
select pg_temp.do('a', 'idle');
select is(pg_temp.now_doing(), 'b typing', 'Whoever is idle does nothing.');
select is(pg_temp.there(), 'a idle, b typing', 'Their row is there all the same.');
select create_session('00000000-0000-4000-8000-000000000002');
select is_empty(
  $$ select from get_session_activities('00000000-0000-4000-8000-000000000002') $$, 'Another session has its own.'
);
select is_empty(
  $$ select from get_session_activities('00000000-0000-4000-8000-0000000000ff') $$, 'An unknown one has none.'
);

reset role;
select pg_temp.age('b', '4 seconds');
set local role anon;
select is(pg_temp.now_doing(), 'b typing', 'A sign of four seconds ago still counts.');
select pg_temp.do('c', 'processing');
select is(pg_temp.there(), 'a idle, b typing, c processing', 'And is not deleted.');
reset role;
select pg_temp.age('b', '6 seconds');
set local role anon;
select is(pg_temp.now_doing(), 'c processing', 'One of six seconds ago does not.');
select is(pg_temp.there(), 'a idle, b typing, c processing', 'Until somebody writes, its row is there.');
select pg_temp.do('c', 'processing');
select is(pg_temp.there(), 'a idle, c processing', 'Then it is deleted.');

reset role;
select pg_temp.age('a', '1 day');
set local role anon;
select pg_temp.do('c', 'typing');
select is(pg_temp.there(), 'a idle, c typing', 'A client''s write deletes no idle row, however old.');
select is((pg_temp.do('a', 'typing')).activity_type, 'typing', 'Whoever was idle for a day types again.');

reset role;
select pg_temp.age('a', '1 minute');
select pg_temp.age('c', '1 minute');
set local role anon;
select is(
  (pg_temp.do('a', 'typing')).activity_type, 'typing', 'A stale activity that its user takes up again is returned.'
);
select is(pg_temp.there(), 'a typing', 'It is fresh, and stays.');

reset role;
insert into public.user_activity (session_id, user_id, activity_type)
select '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'typing' from generate_series(1, 25);
alter table public.user_activity disable trigger user;
update public.user_activity set updated_at = now() - interval '1 minute'
where user_id <> '00000000-0000-4000-8000-00000000000a';
alter table public.user_activity enable trigger user;
create temporary table crowd as select count(*) from public.user_activity where updated_at < now() - interval '5 seconds';
grant select on crowd to anon;
set local role anon;
update public.user_activity set activity_type = 'typing' where user_id = '00000000-0000-4000-8000-00000000000a';
select is(
  (select count(*) from public.user_activity where updated_at < now() - interval '5 seconds' and activity_type <> 'idle'),
  (select count - 10 from crowd), 'Of a crowd that vanished, one update deletes ten.'
);

select throws_ok(
  $$ select pg_temp.do('d', 'sleeping') $$, '23514', null, 'What is no activity is refused.'
);
select throws_ok(
  $$ select pg_temp.do('d', null) $$, '23502', null, 'So is none.'
);
select close_session('00000000-0000-4000-8000-000000000001');
select throws_ok($$ select pg_temp.do('a', 'typing') $$, 'PT410', null, 'In a closed session nobody types.');
select throws_ok($$ select pg_temp.do('a', 'idle') $$, 'PT410', null, 'Nor becomes idle.');
select throws_ok(
  $$ update public.user_activity set session_id = '00000000-0000-4000-8000-000000000002'
     where user_id = '00000000-0000-4000-8000-00000000000a' $$,
  'PT410', null, 'Moving the row to a live session is no way out.'
);
select lives_ok(
  $$ delete from public.user_activity where user_id = '00000000-0000-4000-8000-00000000000a' $$,
  'Stopping is.'
);

select * from finish();
rollback;
