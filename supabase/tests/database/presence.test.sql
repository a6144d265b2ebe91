-- Presence: whoever is unseen for too long is away, not counted, and back with the next sign of life.
begin;
create extension if not exists pgtap with schema extensions;
select plan(26);

\ir refusal.psql
create function pg_temp.present() returns integer language sql stable as $$
  select s.user_count from public.sessions s where s.id = '00000000-0000-4000-8000-000000000001'
$$;
create function pg_temp.is_away(who uuid) returns boolean language sql stable as $$
  select p.is_away from public.session_participants p where p.user_id = who
$$;
-- The owner's hand. Its write, too, finds who is away, so the timeout is shortened after it.
create function pg_temp.set_timeout(timeout interval) returns void language sql as $$
  update private.settings set participant_timeout = timeout
$$;
create function pg_temp.unseen_for(who uuid, ago interval) returns void language sql as $$
  update public.session_participants set last_seen = now() - ago where user_id = who
$$;

select create_session('00000000-0000-4000-8000-000000000001');
create temporary table door as select code from public.sessions where id = '00000000-0000-4000-8000-000000000001';
select join_session(code, '00000000-0000-4000-8000-00000000000a', 'en') from door;
select join_session(code, '00000000-0000-4000-8000-00000000000b', 'es') from door;
grant select on door to anon;

select ok(
  touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a'),
  'Whoever is in is told so.'
);
create temporary table seen as
select last_seen from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a';
select touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a');
select is(
  (select last_seen from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'),
  (select last_seen from seen), 'A sign of life a moment after another writes nothing.'
);
select pg_temp.unseen_for('00000000-0000-4000-8000-00000000000a', '11 seconds');
select touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a');
select ok(
  (select last_seen >= now() from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000a'),
  'After ten seconds it does.'
);
select is(
  touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000ff'), false,
  'Whoever never joined is told that they are not in.'
);

select pg_temp.set_timeout('2 minutes');
select pg_temp.unseen_for('00000000-0000-4000-8000-00000000000b', '119 seconds');
select pg_temp.unseen_for('00000000-0000-4000-8000-00000000000a', '11 seconds');
set local role anon;
select touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a');
select is(pg_temp.is_away('00000000-0000-4000-8000-00000000000b'), false, 'A second less than the timeout is not too long.');
reset role;
select pg_temp.unseen_for('00000000-0000-4000-8000-00000000000a', '11 seconds');
select pg_temp.set_timeout('1 minute');
create temporary table active as
select user_count, last_activity from public.sessions where id = '00000000-0000-4000-8000-000000000001';
select is((select user_count from active), 2, 'Until somebody looks, all are counted.');
set local role anon;
select touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a');
select is(
  pg_temp.is_away('00000000-0000-4000-8000-00000000000b'), true,
  'The other''s sign of life finds who is away, cron or no cron.'
);
select is(pg_temp.present(), 1, 'Whoever is away is not counted.');
reset role;
select is(
  (select last_activity from public.sessions where id = '00000000-0000-4000-8000-000000000001'),
  (select last_activity from active), 'Going out of sight is no activity of the session.'
);
select is(
  (select left_at from public.session_participants where user_id = '00000000-0000-4000-8000-00000000000b'), null,
  'Nor is it leaving.'
);
set local role anon;
select ok(
  touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b'),
  'Whoever is away is still in.'
);
select is(pg_temp.is_away('00000000-0000-4000-8000-00000000000b'), false, 'Their next sign of life brings them back.');
select is(pg_temp.present(), 2, 'They are counted again.');

reset role;
select pg_temp.unseen_for('00000000-0000-4000-8000-00000000000b', '1 hour');
set local role anon;
select is(
  (select user_count from join_session((select code from door), '00000000-0000-4000-8000-00000000000c', 'fr')), 2,
  'Joining finds who is away too: one came, one is not seen.'
);
select is(
  (select user_count from join_session((select code from door), '00000000-0000-4000-8000-00000000000b', 'es')), 3,
  'Joining again is a sign of life as well.'
);
select is((select user_count from join_session((select code from door))), 4, 'One without a name joins.');
reset role;
update public.session_participants set last_seen = now() - interval '1 hour'
where session_id = '00000000-0000-4000-8000-000000000001' and lang is null;
set local role anon;
select is(
  (select user_count from join_session((select code from door), '00000000-0000-4000-8000-00000000000c', 'fr')), 4,
  'One without a name shows no sign of life, and is never away.'
);

reset role;
select pg_temp.unseen_for('00000000-0000-4000-8000-00000000000b', '61 seconds');
select pg_temp.set_timeout('1 minute');
set local role anon;
select is(
  (select user_count from join_session((select code from door), '00000000-0000-4000-8000-00000000000c', 'fr')), 3,
  'The operator says how long is too long.'
);
select is(pg_temp.is_away('00000000-0000-4000-8000-00000000000b'), true, 'A minute, now.');
select is(
  (select user_count from leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b')),
  3, 'One who is away and leaves is not counted out twice.'
);
select is(
  touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b'), false,
  'Whoever left is told that they are not in.'
);
select is(pg_temp.present(), 3, 'A sign of life does not bring back who left.');
select is(
  (select user_count from join_session((select code from door), '00000000-0000-4000-8000-00000000000b', 'es')), 4,
  'Joining does.'
);

select create_session('00000000-0000-4000-8000-000000000002');
select join_session(
  (select code from public.sessions where id = '00000000-0000-4000-8000-000000000002'),
  '00000000-0000-4000-8000-00000000000d', 'en'
);
reset role;
select pg_temp.set_timeout('2 minutes');
select pg_temp.unseen_for('00000000-0000-4000-8000-00000000000d', '1 minute');
select pg_temp.set_timeout('1 minute');
set local role anon;
select join_session((select code from door), '00000000-0000-4000-8000-00000000000c', 'fr');
select is(
  pg_temp.is_away('00000000-0000-4000-8000-00000000000d'), false, 'Nobody looks after those of another session.'
);
select close_session('00000000-0000-4000-8000-000000000001');
select is(
  pg_temp.refusal($$
    select touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000c')
  $$),
  'PT410 | Session not found or expired | The session was closed or its time is over. | Create a new session.',
  'In a closed session there is no sign of life.'
);
select is(
  touch_participant('00000000-0000-4000-8000-0000000000ff', '00000000-0000-4000-8000-00000000000c'), false,
  'In an unknown one nobody is in.'
);
select * from finish();
rollback;
