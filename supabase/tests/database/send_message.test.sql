-- Sending: once for each id, in the other participant's language, and refused with a reason.
begin;
create extension if not exists pgtap with schema extensions;
select plan(31);

\ir refusal.psql
-- What the user "a" sends, with an id that ends in those digits.
create function pg_temp.send(digits text, original text, target_lang text default null) returns public.messages
language sql as $$
  select send_message(
    ('00000000-0000-4000-8000-0000000000' || digits)::uuid, '00000000-0000-4000-8000-000000000001',
    '00000000-0000-4000-8000-00000000000a', original, 'en', target_lang
  )
$$;
create function pg_temp.join(who text, lang text) returns void language sql as $$
  select from join_session(
    (select code from public.sessions where id = '00000000-0000-4000-8000-000000000001'),
    ('00000000-0000-4000-8000-00000000000' || who)::uuid, lang
  )
$$;

set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');
select pg_temp.join('a', 'en');

select is(
  pg_temp.refusal($$ select pg_temp.send('11', 'Anybody there?') $$),
  'PT409 | Nobody else is in this session to translate for'
  ' | Without target_lang a message is translated into the language of the other participant.'
  ' | Give target_lang, or wait until the other person has joined.',
  'Alone, one has nobody to translate for.'
);
select is(
  (select (original, original_lang, target_lang, status, seq)::text from pg_temp.send('12', 'Hello', 'es')),
  '(Hello,en,es,queued,1)', 'With a target language one has.'
);
select join_session(code) from public.sessions where id = '00000000-0000-4000-8000-000000000001';
select is(
  split_part(pg_temp.refusal($$ select pg_temp.send('11', 'Anybody there?') $$), ' | ', 1), 'PT409',
  'One without a name has no language to translate into.'
);
select pg_temp.join('b', 'es');
select is(
  (select target_lang from pg_temp.send('13', 'Good morning')), 'es', 'The other participant''s language is meant.'
);
select is((select target_lang from pg_temp.send('14', 'Bonjour', 'fr')), 'fr', 'A language that is given is meant.');
select pg_temp.join('b', 'pt-BR');
select is(
  (select target_lang from pg_temp.send('15', 'Bom dia')), 'pt-BR', 'Who changed language is sent to in the new one.'
);
reset role;
update public.session_participants set joined_at = now() - interval '1 hour'
where user_id = '00000000-0000-4000-8000-00000000000b';
set local role anon;
select pg_temp.join('c', 'de');
select is(
  (select target_lang from pg_temp.send('16', 'Guten Tag')), 'de', 'Of several, whoever joined last is meant.'
);
reset role;
update public.session_participants set is_away = true where user_id = '00000000-0000-4000-8000-00000000000c';
set local role anon;
select is(
  (select target_lang from pg_temp.send('17', 'Bom dia')), 'pt-BR', 'Unless they are away.'
);
select leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b');
select is(
  (select target_lang from pg_temp.send('18', 'Guten Tag')), 'de', 'One who is away is still sent to when nobody else is in.'
);
select leave_session('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000c');
select is(
  split_part(pg_temp.refusal($$ select pg_temp.send('19', 'Goodbye') $$), ' | ', 2),
  'Nobody else is in this session to translate for', 'When all others have left, nobody is.'
);

create temporary table first as select * from public.messages where id = '00000000-0000-4000-8000-000000000013';
create temporary table again as select * from pg_temp.send('13', 'Good morning');
select results_eq('table again', 'table first', 'The same message again is answered with the first row.');
select is(
  (select count(*) from public.messages where session_id = '00000000-0000-4000-8000-000000000001'), 7::bigint,
  'It is there once.'
);
select is(
  (select max(rev) from public.messages where session_id = '00000000-0000-4000-8000-000000000001'), 7::bigint,
  'Sending again burns no rev.'
);
update public.messages set translation = 'Buenos días', status = 'displayed'
where id = '00000000-0000-4000-8000-000000000013';
select is(
  (select translation from pg_temp.send('13', 'Good morning')), 'Buenos días',
  'By then it may be translated.'
);
select is(
  (select target_lang from pg_temp.send('13', 'Good morning', 'fr')), 'es', 'The first target language stays.'
);

create temporary table contradiction as
select 'PT409 | A different message with this id exists already'
       ' | The first message keeps the id 00000000-0000-4000-8000-000000000013; nothing was written.'
       ' | Give every new message a new UUID.' as reason;
select is(pg_temp.refusal($$ select pg_temp.send('13', 'Good night') $$), reason, 'Another text with the same id is refused.')
from contradiction;
select is(
  pg_temp.refusal($$
    select send_message('00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-000000000001',
                        '00000000-0000-4000-8000-00000000000b', 'Good morning', 'en', 'es')
  $$),
  reason, 'So is another user.'
)
from contradiction;
select create_session('00000000-0000-4000-8000-000000000002');
select is(
  pg_temp.refusal($$
    select send_message('00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-000000000002',
                        '00000000-0000-4000-8000-00000000000a', 'Good morning', 'en', 'es')
  $$),
  reason, 'So is another session.'
)
from contradiction;
select is(
  (select original from public.messages where id = '00000000-0000-4000-8000-000000000013'), 'Good morning',
  'The first message keeps the id.'
);

select throws_ok(
  $$ select pg_temp.send('21', '', 'es') $$, '23514', null, 'Nothing is no message.'
);
select throws_ok(
  $$ select pg_temp.send('21', repeat('x', 10001), 'es') $$, '23514', null, 'Too long is too long.'
);
select throws_ok(
  $$ select pg_temp.send('21', 'Hello', 'spanish') $$, '23514', null, 'A target language that is none is refused.'
);
select throws_ok($$ select pg_temp.send('21', null, 'es') $$, '23502', null, 'A message has a text.');
select is(
  pg_temp.refusal($$
    select send_message(gen_random_uuid(), '00000000-0000-4000-8000-0000000000ff', gen_random_uuid(), 'Hello', 'en')
  $$),
  'PT404 | Session not found or expired | There is no session with this id.'
  ' | Create a session, or ask the other person for the code again.',
  'An unknown session is not found.'
);

-- Held back: its sender translates it, and workers stand in if that takes too long.
create function pg_temp.hold(digits text, hold interval) returns void language sql as $$
  select from send_message(
    ('00000000-0000-4000-8000-0000000000' || digits)::uuid, '00000000-0000-4000-8000-000000000001',
    '00000000-0000-4000-8000-00000000000a', 'Hello', 'en', 'es', hold
  )
$$;
reset role;
update public.messages set status = 'displayed' where status in ('queued', 'processing');
set local role anon;
select pg_temp.hold('31', '1 minute');
select pg_temp.hold('32', '1 hour');
select pg_temp.send('33', 'Hello', 'es');
reset role;
select results_eq(
  $$ select right(c.id::text, 2) from claim_messages('worker') c $$, array['33'],
  'A message that is held back is not claimed.'
);
select is(
  (select array_agg(next_attempt_at <= clock_timestamp() + interval '10 minutes' order by message_id)
   from private.translation_jobs where worker = 'its sender'),
  array[true, true], 'Nobody holds one for longer than 10 minutes.'
);
update private.translation_jobs set next_attempt_at = now() where message_id = '00000000-0000-4000-8000-000000000031';
select results_eq(
  $$ select right(c.id::text, 2), c.attempt from claim_messages('worker') c $$, $$ values ('31', 1) $$,
  'When its time is over it is claimed as any other.'
);
set local role anon;
select pg_temp.hold('31', '1 minute');
select pg_temp.hold('12', '1 minute');
reset role;
select is(
  (select worker from private.translation_jobs where message_id = '00000000-0000-4000-8000-000000000031'), 'worker',
  'A resend takes it from nobody.'
);
select is(
  (select count(*) from private.translation_jobs where message_id = '00000000-0000-4000-8000-000000000012'), 0::bigint,
  'Nor does it hold back what was sent before.'
);
set local role anon;

select close_session('00000000-0000-4000-8000-000000000001');
select is(
  split_part(pg_temp.refusal($$ select pg_temp.send('21', 'Hello', 'es') $$), ' | ', 1), 'PT410',
  'A closed one is gone.'
);
select is(
  (select original from pg_temp.send('13', 'Good morning')), 'Good morning',
  'What was sent before it closed is answered all the same.'
);

select * from finish();
rollback;
