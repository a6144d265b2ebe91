-- Facts of a message that are the database's: what anybody sends for them is ignored; stamps are set once.
begin;
create extension if not exists pgtap with schema extensions;
select plan(23);

create function pg_temp.message() returns public.messages language sql stable as $$
  select m from public.messages m where m.id = '00000000-0000-4000-8000-000000000011'
$$;

set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');
insert into public.messages (
  id, session_id, user_id, original, original_lang, target_lang, error,
  queued_at, processed_at, displayed_at, created_at, timestamp
)
values (
  '00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-00000000000a', 'Hello', 'en', 'es', 'forged',
  '2000-01-01', '2000-01-01', '2000-01-01', '2000-01-01', '2000-01-01'
);
create temporary table sent as
select * from public.messages where id = '00000000-0000-4000-8000-000000000011';

select is((pg_temp.message()).status, 'queued', 'A new message is queued.');
select ok((pg_temp.message()).created_at between now() and clock_timestamp(), 'It was created now, not in 2000.');
select is((pg_temp.message()).queued_at, (pg_temp.message()).created_at, 'It was queued then.');
select is((pg_temp.message()).timestamp, (pg_temp.message()).created_at, 'It was said then.');
select is((pg_temp.message()).processed_at, null, 'It is not translated.');
select is((pg_temp.message()).displayed_at, null, 'It is not displayed.');
select is((pg_temp.message()).error, null, 'Nothing went wrong.');

select lives_ok(
  $$ update public.messages
     set created_at = '2000-01-01', queued_at = '2000-01-01', timestamp = '2000-01-01', processed_at = '2000-01-01',
         displayed_at = '2000-01-01', error = 'forged', performance_metrics = '{"ms": 7}'
     where id = '00000000-0000-4000-8000-000000000011' $$,
  'A client forges what it can.'
);
select results_eq(
  $$ select created_at, queued_at, timestamp, processed_at, displayed_at, error
     from public.messages where id = '00000000-0000-4000-8000-000000000011' $$,
  $$ select created_at, queued_at, timestamp, null::timestamptz, null::timestamptz, null from sent $$,
  'No stamp has moved, and nothing went wrong.'
);
select is((pg_temp.message()).performance_metrics, '{"ms": 7}'::jsonb, 'The metrics are its own.');

update public.messages set translation = 'Hola', status = 'processing' where id = '00000000-0000-4000-8000-000000000011';
select ok(
  (pg_temp.message()).processed_at between (pg_temp.message()).created_at and clock_timestamp(),
  'The translation stamps when it came.'
);
create temporary table translated as select (pg_temp.message()).processed_at;
update public.messages set translation = '¡Hola!' where id = '00000000-0000-4000-8000-000000000011';
select is(
  (pg_temp.message()).processed_at, (select processed_at from translated), 'A better one does not stamp again.'
);
select is((pg_temp.message()).displayed_at, null, 'Translated is not displayed.');
update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000011';
select ok(
  (pg_temp.message()).displayed_at between (pg_temp.message()).processed_at and clock_timestamp(),
  'Displaying stamps when.'
);
create temporary table displayed as select (pg_temp.message()).displayed_at;
update public.messages set status = 'displayed', displayed_at = null where id = '00000000-0000-4000-8000-000000000011';
select is(
  (pg_temp.message()).displayed_at, (select displayed_at from displayed), 'Displaying again does not stamp again.'
);

insert into public.messages (id, session_id, user_id, original, translation, original_lang, target_lang, status)
values (
  '00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-00000000000a', 'Hello', 'Hola', 'en', 'es', 'displayed'
);
select results_eq(
  $$ select processed_at = created_at, displayed_at = created_at from public.messages
     where id = '00000000-0000-4000-8000-000000000012' $$,
  'values (true, true)', 'What comes translated and displayed is stamped at once.'
);

insert into public.messages (id, session_id, user_id, original, original_lang, target_lang, status, error)
values (
  '00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-00000000000a', 'Hello', 'en', 'es', 'failed', 'No model speaks it.'
);
select is(
  (select error from public.messages where id = '00000000-0000-4000-8000-000000000013'), 'No model speaks it.',
  'What comes failed keeps its reason.'
);
update public.messages set performance_metrics = '{}' where id = '00000000-0000-4000-8000-000000000013';
select is(
  (select error from public.messages where id = '00000000-0000-4000-8000-000000000013'), 'No model speaks it.',
  'As long as it is failed.'
);
update public.messages set status = 'queued', error = 'old' where id = '00000000-0000-4000-8000-000000000013';
select is(
  (select error from public.messages where id = '00000000-0000-4000-8000-000000000013'), null,
  'Queued again, it has none.'
);
update public.messages set status = 'processing', error = 'early' where id = '00000000-0000-4000-8000-000000000013';
select is(
  (select error from public.messages where id = '00000000-0000-4000-8000-000000000013'), null,
  'Nor while somebody works on it.'
);
update public.messages set status = 'failed', error = 'Again.' where id = '00000000-0000-4000-8000-000000000013';
select is(
  (select error from public.messages where id = '00000000-0000-4000-8000-000000000013'), 'Again.',
  'Failed again, it has the new one.'
);

set local role service_role;
select results_eq(
  $$ update public.messages set created_at = '2000-01-01', processed_at = '2000-01-01'
     where id = '00000000-0000-4000-8000-000000000013' returning created_at > '2001-01-01', processed_at $$,
  'values (true, null::timestamptz)', 'The service forges nothing more.'
);
reset role;
select is_empty(
  $$ select from public.messages earlier
     join public.messages later on later.session_id = earlier.session_id and later.seq > earlier.seq
     where earlier.session_id = '00000000-0000-4000-8000-000000000001' and later.created_at < earlier.created_at $$,
  'Stamps rise with the places.'
);

select * from finish();
rollback;
