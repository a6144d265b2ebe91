-- Marking the absent: for sessions where nobody is left to notice.
begin;
create extension if not exists pgtap with schema extensions;
select plan(11);

create function pg_temp.present(digit text) returns integer language sql stable as $$
  select s.user_count from public.sessions s where s.id = ('00000000-0000-4000-8000-00000000000' || digit)::uuid
$$;
create function pg_temp.is_away(who text) returns boolean language sql stable as $$
  select p.is_away from public.session_participants p where p.user_id = ('00000000-0000-4000-8000-00000000000' || who)::uuid
$$;

-- A long timeout while time passes, so that nobody notices; everybody else has been noticed.
update private.settings set participant_timeout = '1 day';
update public.session_participants set is_away = true where left_at is null and lang is not null;
select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
insert into public.session_participants (session_id, user_id, lang, last_seen) values
  ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'en', now() - interval '3 hours'),
  ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b', 'es', now() - interval '2 hours'),
  ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000c', null, now() - interval '9 hours'),
  ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-00000000000d', 'fr', now() - interval '1 hour'),
  ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-00000000000e', 'de', now() - interval '50 minutes'),
  ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-00000000000f', 'pt', now() - interval '9 hours');
select leave_session('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-00000000000f');
create temporary table before as select id, last_activity from public.sessions;
update private.settings set participant_timeout = '55 minutes';

set local role service_role;
select is(cleanup_participants(1), 2, 'A batch begins with whoever is absent longest, and takes in the rest of their session.');
select is(pg_temp.present('1'), 1, 'They are not counted any more.');
select is(pg_temp.is_away('c'), false, 'Who has no name is never away.');
select is(pg_temp.present('2'), 2, 'The next session waits for the next run.');
select is(cleanup_participants(), 1, 'Which marks the rest.');
select is(pg_temp.is_away('d'), true, 'Unseen for too long: away.');
select is(pg_temp.is_away('e'), false, 'Unseen for a while: not.');
select is(pg_temp.is_away('f'), false, 'Who left is not away.');
select is(cleanup_participants(), 0, 'Then there is nobody to mark.');
reset role;
select is_empty(
  'select s.id from public.sessions s join before b using (id) where s.last_activity <> b.last_activity',
  'That is no activity of their sessions.'
);
select touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a');
select is(pg_temp.is_away('a'), false, 'Whoever was marked comes back with a sign of life.');

select * from finish();
rollback;
