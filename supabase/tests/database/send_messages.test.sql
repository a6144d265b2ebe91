-- Sending many: all or none, in the order of the array, each once, and refused with a reason.
begin;
create extension if not exists pgtap with schema extensions;
select plan(35);

\ir refusal.psql
-- What the user "a" sends, with an id that ends in those digits.
create function pg_temp.said(digits text, original text, more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object(
    'id', '00000000-0000-4000-8000-0000000000' || digits, 'user_id', '00000000-0000-4000-8000-00000000000a',
    'original', original, 'original_lang', 'en'
  ) || more
$$;
create function pg_temp.send(variadic messages jsonb[]) returns setof public.messages language sql as $$
  select * from send_messages('00000000-0000-4000-8000-000000000001', to_jsonb(messages))
$$;
create function pg_temp.malformed(messages jsonb) returns text language sql as $$
  select pg_temp.refusal(format('select send_messages(%L, %L)', '00000000-0000-4000-8000-000000000001', messages))
$$;
create function pg_temp.stored() returns bigint language sql as $$
  select count(*) from public.messages where session_id = '00000000-0000-4000-8000-000000000001'
$$;

set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');
select join_session(code, '00000000-0000-4000-8000-00000000000a', 'en')
from public.sessions where id = '00000000-0000-4000-8000-000000000001';

select is_empty($$ select send_messages('00000000-0000-4000-8000-000000000001', '[]') $$, 'Nothing sent, nothing returned.');
select is(
  split_part(pg_temp.refusal($$
    select pg_temp.send(pg_temp.said('11', 'Hello', '{"target_lang": "es"}'), pg_temp.said('12', 'Anybody there?'))
  $$), ' | ', 2),
  'Nobody else is in this session to translate for', 'Alone, one has nobody to translate for.'
);
select is(pg_temp.stored(), 0::bigint, 'Then also what came before is not written.');

select join_session(code, '00000000-0000-4000-8000-00000000000b', 'es')
from public.sessions where id = '00000000-0000-4000-8000-000000000001';
create temporary table first as select row_number() over () as place, * from pg_temp.send(
  pg_temp.said('13', 'three'), pg_temp.said('11', 'one', '{"target_lang": "fr"}'),
  pg_temp.said('12', 'two', '{"target_lang": null}')
);
select results_eq(
  'select original, target_lang, status, seq, rev from first order by place',
  $$ values ('three', 'es'::varchar, 'queued'::varchar, 1::bigint, 1::bigint), ('one', 'fr', 'queued', 2, 2), ('two', 'es', 'queued', 3, 3) $$,
  'The order of the array is that of the conversation; without target_lang the other participant''s language is meant.'
);
select results_eq(
  $$ select id, session_id, user_id from first where place = 1 $$,
  $$ values ('00000000-0000-4000-8000-000000000013'::uuid, '00000000-0000-4000-8000-000000000001'::uuid,
             '00000000-0000-4000-8000-00000000000a'::uuid) $$,
  'Who said it, where, under which id.'
);
select results_eq(
  'select m.* from public.messages m order by m.seq',
  $$ select f.id, f.session_id, f.user_id, f.original, f.translation, f.original_lang, f.target_lang, f.status,
            f.queued_at, f.processed_at, f.displayed_at, f.error, f.performance_metrics, f.timestamp, f.created_at,
            f.seq, f.rev
     from first f order by f.place $$,
  'What is returned is what is stored.'
);

create temporary table again as select row_number() over () as place, * from pg_temp.send(
  pg_temp.said('13', 'three'), pg_temp.said('11', 'one'), pg_temp.said('12', 'two')
);
select results_eq('table again', 'table first', 'The same batch again is answered with the first rows.');
select results_eq(
  $$ select original, seq from pg_temp.send(pg_temp.said('14', 'four'), pg_temp.said('11', 'one'), pg_temp.said('15', 'five')) $$,
  $$ values ('four', 4::bigint), ('one', 2), ('five', 5) $$,
  'A batch of which a part is known adds the rest.'
);
select results_eq(
  $$ select original, seq from pg_temp.send(pg_temp.said('16', 'six'), pg_temp.said('16', 'six')) $$,
  $$ values ('six', 6::bigint), ('six', 6) $$,
  'The same message twice in a batch is one message.'
);
select is(pg_temp.stored(), 6::bigint, 'Each is there once.');

select is(
  pg_temp.refusal($$ select pg_temp.send(pg_temp.said('17', 'seven'), pg_temp.said('11', 'uno')) $$),
  'PT409 | A different message with this id exists already'
  ' | The first message keeps the id 00000000-0000-4000-8000-000000000011; nothing was written.'
  ' | Give every new message a new UUID.',
  'A different message under a known id refuses the batch, and is named.'
);
select is(
  split_part(pg_temp.refusal($$ select pg_temp.send(pg_temp.said('17', 'seven'), pg_temp.said('17', 'sept')) $$), ' | ', 1),
  'PT409', 'Also when the id became known in the same batch.'
);
select throws_ok(
  $$ select pg_temp.send(pg_temp.said('17', 'seven'), pg_temp.said('18', ' ')) $$, '23514', null, 'Nothing is no message.'
);
select throws_ok(
  $$ select pg_temp.send(pg_temp.said('17', 'seven'), pg_temp.said('18', 'eight', '{"original_lang": "english"}')) $$,
  '23514', null, 'A language that is none is refused.'
);
select is(pg_temp.stored(), 6::bigint, 'None of these wrote anything.');
select results_eq(
  $$ select seq, rev from pg_temp.send(pg_temp.said('17', 'seven')) $$, $$ values (7::bigint, 7::bigint) $$,
  'Nor did they burn a rev.'
);

select is(
  pg_temp.malformed(messages),
  'PT400 | A batch is an array of at most 1,000 messages | This is of type ' || type || '.'
  ' | Give the messages in one array; send more than 1,000 in several batches, one after the other.',
  format('A batch of type %s is none.', type)
)
from (values (null::jsonb, 'null'), ('null', 'null'), ('7', 'number'), (pg_temp.said('21', 'Hi'), 'object')) as wrong (messages, type);
select is(
  pg_temp.malformed((select jsonb_agg('null'::jsonb) from generate_series(1, 1001))),
  'PT400 | A batch is an array of at most 1,000 messages | This one has 1001.'
  ' | Give the messages in one array; send more than 1,000 in several batches, one after the other.',
  'Too many are too many, before anybody looks at them.'
);
select is(
  pg_temp.malformed(jsonb_build_array(pg_temp.said('21', 'Hi'), wrong, 'null'::jsonb)),
  'PT400 | A message of this batch is malformed | It is the one at index 1; the first is at 0. Nothing was written.'
  ' | Each has id and user_id (UUIDs), original and original_lang (texts), perhaps target_lang, and nothing else.',
  fact
)
from (values
  ('null'::jsonb, 'Null is no message.'),
  ('"Hi"', 'Nor is a text.'),
  ('[]', 'Nor an array.'),
  (jsonb_build_array(pg_temp.said('22', 'Hi')), 'Not even one with a message in it.'),
  (pg_temp.said('22', 'Hi') - 'id', 'A message has an id.'),
  (pg_temp.said('22', 'Hi') - 'user_id', 'And a user.'),
  (pg_temp.said('22', 'Hi', '{"user_id": "test-user"}'), 'Who has a UUID.'),
  (pg_temp.said('22', null), 'A message has a text.'),
  (pg_temp.said('22', 'Hi', '{"original_lang": 7}'), 'And a language, which is a text too.'),
  (pg_temp.said('22', 'Hi', '{"target_lang": ["es"]}'), 'As is the target language.'),
  (pg_temp.said('22', 'Hi', '{"status": "displayed"}'), 'What a client may not set is not dropped silently.')
) as messages (wrong, fact);

select is(
  split_part(pg_temp.refusal(format(
    'select send_messages(%L, %L)', '00000000-0000-4000-8000-0000000000ff', jsonb_build_array(pg_temp.said('21', 'Hi'))
  )), ' | ', 1),
  'PT404', 'An unknown session is not found.'
);
select close_session('00000000-0000-4000-8000-000000000001');
select is(
  split_part(pg_temp.refusal($$ select pg_temp.send(pg_temp.said('11', 'one'), pg_temp.said('21', 'Hi')) $$), ' | ', 1),
  'PT410', 'A closed one is gone.'
);
select results_eq(
  $$ select original, seq from pg_temp.send(pg_temp.said('13', 'three'), pg_temp.said('11', 'one')) $$,
  $$ values ('three', 1::bigint), ('one', 2) $$,
  'What was sent before it closed is answered all the same.'
);

select * from finish();
rollback;
