-- Extending a session: forwards, and to 24 hours from its creation at most.
begin;
create extension if not exists pgtap with schema extensions;
select plan(17);

\ir refusal.psql
create function pg_temp.lasts() returns interval language sql stable as $$
  select s.expires_at - s.created_at from public.sessions s where s.id = '00000000-0000-4000-8000-000000000001'
$$;
create function pg_temp.extend(duration interval) returns text language sql as $$
  select pg_temp.refusal(format('select extend_session(%L, %L)', '00000000-0000-4000-8000-000000000001', duration))
$$;

set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');

select is(
  (select expires_at - created_at from extend_session('00000000-0000-4000-8000-000000000001', '1 hour')),
  interval '5 hours', 'An hour more.'
);
select is(pg_temp.lasts(), interval '5 hours', 'That is what is stored.');
select extend_session('00000000-0000-4000-8000-000000000001', '90 minutes');
select is(pg_temp.lasts(), interval '6 hours 30 minutes', 'And more again.');
select extend_session('00000000-0000-4000-8000-000000000001', '18 hours');
select is(pg_temp.lasts(), interval '24 hours', 'A session lasts 24 hours at most.');
select extend_session('00000000-0000-4000-8000-000000000001', '1 second');
select is(pg_temp.lasts(), interval '24 hours', 'Not a second longer.');
select is(pg_temp.extend('100000 years'), null, 'Asking for a thousand centuries is no error.');
select is(pg_temp.lasts(), interval '24 hours', 'And gets no more than a day.');

select is(
  pg_temp.extend('0'),
  'PT400 | A session is extended by a positive duration | The duration is 00:00:00. | Give an interval such as 1 hour.',
  'No time at all is refused.'
);
select is(split_part(pg_temp.extend('-1 hour'), ' | ', 1), 'PT400', 'So is less.');
select is(
  pg_temp.extend(null),
  'PT400 | A session is extended by a positive duration | The duration is null. | Give an interval such as 1 hour.',
  'So is nothing.'
);
select is(pg_temp.lasts(), interval '24 hours', 'Whoever was refused has changed nothing.');
select is(
  pg_temp.refusal($$ select extend_session('00000000-0000-4000-8000-0000000000ff', '1 hour') $$),
  'PT404 | Session not found or expired | There is no session with this id.'
  ' | Create a session, or ask the other person for the code again.',
  'An unknown session is not found.'
);

reset role;
update public.sessions set expires_at = created_at + interval '48 hours'
where id = '00000000-0000-4000-8000-000000000001';
select is(
  (select expires_at - created_at from extend_session('00000000-0000-4000-8000-000000000001', '1 hour')),
  interval '48 hours', 'What an operator gave beyond a day is not taken away.'
);
update public.sessions set expires_at = clock_timestamp() where id = '00000000-0000-4000-8000-000000000001';
set local role anon;
select is(
  pg_temp.extend('1 hour'),
  'PT410 | Session not found or expired | The session was closed or its time is over. | Create a new session.',
  'An expired session stays expired.'
);
select create_session('00000000-0000-4000-8000-000000000002');
select close_session('00000000-0000-4000-8000-000000000002');
select is(
  split_part(pg_temp.refusal($$ select extend_session('00000000-0000-4000-8000-000000000002', '1 hour') $$), ' | ', 1),
  'PT410', 'A closed one stays closed.'
);
select is(
  (select is_active from public.sessions where id = '00000000-0000-4000-8000-000000000002'), false,
  'Asking does not open it.'
);
select is(
  (select last_activity from public.sessions where id = '00000000-0000-4000-8000-000000000001'), now(),
  'Extending is no activity of the session.'
);

select * from finish();
rollback;
