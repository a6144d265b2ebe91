-- Trying again: the failed messages of one session, from the start.
begin;
create extension if not exists pgtap with schema extensions;
select plan(13);

\ir refusal.psql
\ir queue.psql

-- An empty queue, whatever was in it.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
set local role service_role;
update private.settings set max_failures = 1;
select pg_temp.say('11');
select pg_temp.say('12');
select pg_temp.say('13');
select pg_temp.say('21', '00000000-0000-4000-8000-000000000002');
create temporary table claimed as select * from claim_messages('worker');
select fail_message(id, token, 'No model.') from claimed where right(id::text, 2) in ('11', '12', '21');
select complete_message(id, token, 'mensaje 13') from claimed where right(id::text, 2) = '13';
select pg_temp.say('14');
update public.messages set translation = 'mensaje 14' where id = '00000000-0000-4000-8000-000000000014';
update public.messages set status = 'failed' where id = '00000000-0000-4000-8000-000000000014';

select results_eq(
  $$ select right(id::text, 2), status::text, error from retry_failed('00000000-0000-4000-8000-000000000001')
     order by 1 $$,
  $$ values ('11', 'queued', null), ('12', 'queued', null) $$,
  'The failed messages of the session are queued again, and returned, without their errors.'
);
select is((pg_temp.message('21')).status, 'failed', 'Those of another session are not.');
select is((pg_temp.message('13')).status, 'processing', 'What did not fail stays as it was.');
select is((pg_temp.message('14')).status, 'failed', 'Nor is translated again what has its translation.');
select is(
  (select (claims, failures)::text from pg_temp.job('11')), '(0,0)', 'They have all their attempts again.'
);
select is_empty(
  $$ select from retry_failed('00000000-0000-4000-8000-000000000001') $$, 'Asked again, there is nothing to try again.'
);
select is_empty(
  $$ select from retry_failed('00000000-0000-4000-8000-0000000000ff') $$, 'Nor in an unknown session.'
);
select is_empty('select from retry_failed(null)', 'Nor in none.');
select is(pg_temp.claim(), '11 12', 'They can be claimed at once.');
select is(
  split_part(pg_temp.refusal('select complete_message(id, token, ''tarde'') from claimed limit 1'), ' | ', 1), 'PT409',
  'The tokens of before are worth nothing.'
);
select is(
  (select min((pg_temp.job(d)).claims) from unnest(array['11', '12']) as d), 1, 'It is their first claim.'
);

-- A message that failed without ever being claimed has no job.
select pg_temp.say('22', '00000000-0000-4000-8000-000000000002');
update public.messages set status = 'failed', error = 'By hand.' where id = '00000000-0000-4000-8000-000000000022';
select is(
  (select count(*) from retry_failed('00000000-0000-4000-8000-000000000002')), 2::bigint,
  'What a client called failed is tried again too.'
);
select is(pg_temp.claim(), '21 22', 'And claimed.');

select * from finish();
rollback;
