-- Expiry: from that instant on nobody joins, writes or types, cron or no cron; what was said stays.
begin;
create extension if not exists pgtap with schema extensions;
select plan(23);

\ir refusal.psql
select create_session('00000000-0000-4000-8000-000000000001');
create temporary table door as select code from public.sessions where id = '00000000-0000-4000-8000-000000000001';
grant select on door to anon;
select join_session(code, '00000000-0000-4000-8000-00000000000a', 'en') from door;
select join_session(code, '00000000-0000-4000-8000-00000000000b', 'es') from door;
select send_message(
  '00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-00000000000a', 'Hello', 'en'
);
insert into public.user_activity (session_id, user_id, activity_type)
values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'typing');

create temporary table over as
select 'PT410 | Session not found or expired | The session was closed or its time is over.'
       ' | Create a new session.' as reason;
grant select on over to anon;

-- The clock of the database says that it is over; nobody closed it.
update public.sessions set expires_at = clock_timestamp() where id = '00000000-0000-4000-8000-000000000001';
set local role anon;
select is(
  (select is_active from public.sessions where id = '00000000-0000-4000-8000-000000000001'), true,
  'An expired session is active until somebody closes it.'
);

select is(
  pg_temp.refusal(format($$ select join_session(%L, '00000000-0000-4000-8000-00000000000c', 'fr') $$, code)),
  reason, 'Nobody joins it.'
)
from door, over;
select is(
  pg_temp.refusal(format($$ select join_session(%L, '00000000-0000-4000-8000-00000000000a', 'en') $$, code)),
  reason, 'Not even one who is in.'
)
from door, over;
select is(pg_temp.refusal(format('select join_session(%L)', code)), reason, 'Nor without a name.') from door, over;
select is(
  pg_temp.refusal($$
    insert into public.session_participants (session_id, user_id)
    values ('00000000-0000-4000-8000-000000000001', gen_random_uuid())
  $$),
  reason, 'Nor by a plain insert.'
)
from over;
select is(
  pg_temp.refusal($$
    select touch_participant('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a')
  $$),
  reason, 'There is no sign of life in it.'
)
from over;
select is(
  pg_temp.refusal($$
    select send_message(gen_random_uuid(), '00000000-0000-4000-8000-000000000001',
                        '00000000-0000-4000-8000-00000000000a', 'Too late', 'en')
  $$),
  reason, 'Nobody sends a message.'
)
from over;
select is(
  pg_temp.refusal($$
    select send_messages('00000000-0000-4000-8000-000000000001', jsonb_build_array(jsonb_build_object(
      'id', gen_random_uuid(), 'user_id', '00000000-0000-4000-8000-00000000000a', 'original', 'Too late',
      'original_lang', 'en')))
  $$),
  reason, 'Nor several.'
)
from over;
select is(
  pg_temp.refusal($$
    insert into public.messages (session_id, user_id, original, original_lang, target_lang)
    values ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'Too late', 'en', 'es')
  $$),
  reason, 'Nor inserts one.'
)
from over;
select is(
  pg_temp.refusal($$
    insert into public.user_activity (session_id, user_id, activity_type)
    values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b', 'typing')
  $$),
  reason, 'Nobody begins to type.'
)
from over;
select is(
  pg_temp.refusal($$
    update public.user_activity set activity_type = 'recording'
    where session_id = '00000000-0000-4000-8000-000000000001'
  $$),
  reason, 'Nor does whoever typed do something else.'
)
from over;
select is(
  pg_temp.refusal($$ select extend_session('00000000-0000-4000-8000-000000000001', '1 hour') $$),
  reason, 'It cannot be extended.'
)
from over;
select is(
  (select count(*) from public.messages where session_id = '00000000-0000-4000-8000-000000000001'), 1::bigint,
  'Nothing was written.'
);

select is(
  (select count(*) from messages_since('00000000-0000-4000-8000-000000000001')), 1::bigint,
  'What was said can be read.'
);
select is(
  (select original from send_message(
    '00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
    '00000000-0000-4000-8000-00000000000a', 'Hello', 'en'
  )),
  'Hello', 'What was sent in time and is sent again, is answered.'
);
select lives_ok(
  $$ update public.messages set translation = 'Hola', status = 'processing'
     where id = '00000000-0000-4000-8000-000000000011' $$,
  'Its translation may still arrive.'
);
select lives_ok(
  $$ update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000011' $$,
  'And be displayed.'
);
select lives_ok(
  $$ delete from public.user_activity where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'Whoever typed may stop.'
);
select lives_ok(
  $$ select leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a') $$,
  'Whoever is in may leave.'
);
select is(
  (select user_count from public.sessions where id = '00000000-0000-4000-8000-000000000001'), 1, 'That is counted.'
);
select is(
  pg_temp.refusal($$
    update public.session_participants set left_at = null where user_id = '00000000-0000-4000-8000-00000000000a'
  $$),
  reason, 'But not come back.'
)
from over;
select is(
  pg_temp.refusal($$
    insert into public.messages (session_id, user_id, original, original_lang, target_lang)
    values ('00000000-0000-4000-8000-0000000000ff', gen_random_uuid(), 'Where am I?', 'en', 'es')
  $$),
  'PT404 | Session not found or expired | There is no session with this id.'
  ' | Create a session, or ask the other person for the code again.',
  'A message into a session that never was is told so.'
);
select is(
  split_part(pg_temp.refusal($$
    insert into public.user_activity (session_id, user_id, activity_type)
    values ('00000000-0000-4000-8000-0000000000ff', gen_random_uuid(), 'typing')
  $$), ' | ', 1),
  'PT404', 'So is an activity.'
);

select * from finish();
rollback;
