-- Completing a claim: the translation is stored, the lease ends, the message is ready to display.
begin;
create extension if not exists pgtap with schema extensions;
select plan(17);

\ir refusal.psql
\ir queue.psql

-- An empty queue, whatever was in it.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select create_session('00000000-0000-4000-8000-000000000001');
set local role service_role;
select pg_temp.say('11');
create temporary table claimed as select * from claim_messages('worker');

create temporary table completed as
select c.* from claimed, complete_message(claimed.id, claimed.token, 'mensaje 11', '{"ms": 120}') c;
select results_eq('table completed', 'select (pg_temp.message(''11'')).*', 'Completing returns the message as it is then.');
select is(
  (select (translation, status, performance_metrics)::text from completed),
  '("mensaje 11",processing,"{""ms"": 120}")', 'It has its translation and metrics, and is ready to display.'
);
select ok((select processed_at between now() and clock_timestamp() from completed), 'It is stamped.');
select is((pg_temp.job('11')).leased_until, null, 'The lease has ended.');
select is(pg_temp.claim(), null, 'Nobody claims it again.');

create temporary table repeated as
select c.* from claimed, complete_message(claimed.id, claimed.token, 'mensaje 11', '{"ms": 120}') c;
select results_eq('table repeated', 'table completed', 'The same call again changes nothing, not even the rev.');
select is(
  split_part(pg_temp.refusal('select complete_message(id, token, ''otro'') from claimed'), ' | ', 1), 'PT409',
  'Another translation with the same token is refused.'
);
select is(
  split_part(pg_temp.refusal('select fail_message(id, token, ''oops'') from claimed'), ' | ', 1), 'PT409',
  'What is completed cannot fail.'
);
select is(
  split_part(pg_temp.refusal('select release_message(id, token) from claimed'), ' | ', 1), 'PT409',
  'Nor be given back.'
);
select is(
  split_part(pg_temp.refusal('select extend_lease(id, token) from claimed'), ' | ', 1), 'PT409', 'Nor be kept.'
);
update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000011';
select is(
  (select c.status from claimed, complete_message(claimed.id, claimed.token, 'mensaje 11') c), 'displayed',
  'The same call again is answered also when the message has been displayed meanwhile.'
);

select pg_temp.say('12');
update public.messages set performance_metrics = '{"recorded": true}' where id = '00000000-0000-4000-8000-000000000012';
create temporary table next as select * from claim_messages('worker');
select is(
  pg_temp.refusal('select complete_message(id, token, null) from next'),
  'PT400 | A message is completed with its translation | A translation has 1 to 40,000 characters, not only blanks. This one has 0.'
  ' | Report what cannot be translated with fail_message().',
  'Completing without a translation is refused.'
);
select throws_ok(
  $$ select complete_message(id, token, ' ') from next $$, 'PT400', null, 'So is completing with a blank one.'
);
select throws_ok(
  $$ select complete_message(id, token, repeat('x', 40001)) from next $$, 'PT400', null, 'So is one that is too long.'
);
select isnt((pg_temp.job('12')).leased_until, null, 'Whoever was refused still holds the claim.');
select is(
  (select c.performance_metrics from next, complete_message(next.id, next.token, 'mensaje 12') c),
  '{"recorded": true}'::jsonb, 'Without metrics, those that were there stay.'
);
select is(
  split_part(pg_temp.refusal($$ select complete_message(gen_random_uuid(), gen_random_uuid(), 'x') $$), ' | ', 1), 'PT409',
  'A message that is gone is a claim that was lost.'
);

select * from finish();
rollback;
