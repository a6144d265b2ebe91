-- Failing: tried again after a pause that doubles, in nobody's way, until it has failed for good.
begin;
create extension if not exists pgtap with schema extensions;
select plan(27);

\ir refusal.psql
\ir queue.psql

-- An empty queue, whatever was in it.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select create_session('00000000-0000-4000-8000-000000000001');
-- Claims the one message that is due, and reports that it failed.
create function pg_temp.fail(reason text default 'No model.') returns public.messages language sql as $$
  select f from claim_messages('worker', 1) c, fail_message(c.id, c.token, reason) f
$$;
create function pg_temp.pause(digits text) returns numeric language sql as $$
  select round(extract(epoch from (pg_temp.job(digits)).next_attempt_at - clock_timestamp()))
$$;

set local role service_role;
update private.settings set max_failures = 5, retry_delay = '2 seconds';
select pg_temp.say('11');
create temporary table claimed as select * from claim_messages('worker');
create temporary table failed as select f.* from claimed, fail_message(claimed.id, claimed.token, 'No model.') f;
select results_eq('table failed', 'select (pg_temp.message(''11'')).*', 'Failing returns the message as it is then.');
select is((select status from failed), 'queued', 'After a first failure it is queued again.');
select is((select error from failed), null, 'It has not failed for good: no error is shown.');
select is((pg_temp.job('11')).last_error, 'No model.', 'The queue knows why.');
select is((pg_temp.job('11')).leased_until, null, 'The lease has ended.');
select is(pg_temp.claim(), null, 'Nobody claims it before the pause is over.');
select pg_temp.say('12');
select is(pg_temp.claim(), '12', 'What waits for its next attempt blocks nothing behind it.');

create temporary table repeated as select f.* from claimed, fail_message(claimed.id, claimed.token, 'No model.') f;
select results_eq('table repeated', 'table failed', 'The same call again changes nothing.');
select is((pg_temp.job('11')).failures, 1, 'It is one failure.');
select is(
  split_part(pg_temp.refusal('select fail_message(id, token, ''Another.'') from claimed'), ' | ', 1), 'PT409',
  'Another reason with the same token is refused.'
);
select is(
  split_part(pg_temp.refusal('select complete_message(id, token, ''tarde'') from claimed'), ' | ', 1), 'PT409',
  'What has failed cannot be completed with the same token.'
);

select is(pg_temp.pause('11'), 2::numeric, 'The first pause is settings.retry_delay.');
select pg_temp.wait_out('11');
select is((select attempt from claim_messages('worker')), 2, 'When it is over, it is claimed for a second attempt.');
select is((pg_temp.job('11')).last_error, null, 'The reason for the first failure does not stick to the second claim.');
select fail_message('00000000-0000-4000-8000-000000000011', (pg_temp.job('11')).token, 'No model.');
select is(pg_temp.pause('11'), 4::numeric, 'The second pause is twice as long.');
select pg_temp.wait_out('11');
select pg_temp.fail();
select is(pg_temp.pause('11'), 8::numeric, 'The third is twice that.');
update private.settings set retry_delay = '2 minutes';
select pg_temp.wait_out('11');
select pg_temp.fail();
select is(pg_temp.pause('11'), 300::numeric, 'No pause is longer than five minutes.');
select pg_temp.wait_out('11');
select is(
  (select (status, error)::text from pg_temp.fail('Still no model.')), '(failed,"Still no model.")',
  'The fifth failure is the last: the message has failed, and says why.'
);
select pg_temp.wait_out('11');
select is(pg_temp.claim(), null, 'What has failed for good is claimed no more.');
select is(
  (select f.status from fail_message(
    '00000000-0000-4000-8000-000000000011', (pg_temp.job('11')).token, 'Still no model.'
  ) f),
  'failed', 'The last call again changes nothing either.'
);

update private.settings set max_failures = 1;
select pg_temp.say('13');
select is((pg_temp.fail()).status, 'failed', 'The operator says how often something is tried.');
select pg_temp.say('14');
select is((pg_temp.fail('')).error, 'The worker gave no reason.', 'No reason is said to be none.');
select pg_temp.say('15');
select is((pg_temp.fail(null)).error, 'The worker gave no reason.', 'Nor is nothing one.');
select pg_temp.say('16');
select is(char_length((pg_temp.fail(repeat('é', 5000))).error), 1000, 'A long reason is cut at 1,000 characters.');
select is(
  split_part(pg_temp.refusal($$ select fail_message(gen_random_uuid(), gen_random_uuid(), 'x') $$), ' | ', 1), 'PT409',
  'A message that is gone is a claim that was lost.'
);
select pg_temp.say('17');
create temporary table last as select * from claim_messages('worker');
select is(
  (select (c.status, c.error, c.translation)::text from last, complete_message(last.id, last.token, 'mensaje 17') c),
  '(processing,,"mensaje 17")', 'One that did not fail has no error.'
);
select is_empty(
  $$ select from public.messages where status <> 'failed' and error is not null $$, 'Only what failed has an error.'
);

select * from finish();
rollback;
