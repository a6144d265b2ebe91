-- Closing what has expired: cron's hourly job, which nothing depends on.
begin;
create extension if not exists pgtap with schema extensions;
select plan(9);

create function pg_temp.is_active(digit text) returns boolean language sql stable as $$
  select s.is_active from public.sessions s where s.id = ('00000000-0000-4000-8000-00000000000' || digit)::uuid
$$;

select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
select create_session('00000000-0000-4000-8000-000000000003');
update public.sessions set expires_at = now() - interval '1 hour' where id = '00000000-0000-4000-8000-000000000001';
update public.sessions set expires_at = now() + interval '1 second' where id = '00000000-0000-4000-8000-000000000002';
select close_session('00000000-0000-4000-8000-000000000003');
create temporary table before as select * from public.sessions;

set local role service_role;
select lives_ok('select cleanup_expired_sessions()', 'It runs.');
select is(pg_temp.is_active('1'), false, 'A session that has expired is closed.');
select is(pg_temp.is_active('2'), true, 'One with a second left is not.');
select is(pg_temp.is_active('3'), false, 'A closed one stays closed.');
select is_empty('select from public.sessions where is_active and expires_at < now()', 'None that has expired is active.');
reset role;
select is_empty(
  'select s.* from public.sessions s join before b using (id) where s.expires_at <> b.expires_at',
  'None has another end than before.'
);
select is((select count(*) from public.sessions), (select count(*) from before), 'None is deleted.');
create temporary table after as select * from public.sessions;
select cleanup_expired_sessions();
select set_eq('select * from public.sessions', 'table after', 'Running again changes nothing.');
select lives_ok(
  $$ insert into public.sessions (code)
     select code from public.sessions where id = '00000000-0000-4000-8000-000000000001' $$,
  'The code of what was closed is free.'
);

select * from finish();
rollback;
