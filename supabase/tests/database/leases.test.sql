-- Leases: they hold, are extended, run out, and the token of a claim that was lost is worth nothing.
begin;
create extension if not exists pgtap with schema extensions;
select plan(26);

\ir refusal.psql
\ir queue.psql

-- An empty queue, whatever was in it.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select create_session('00000000-0000-4000-8000-000000000001');
set local role service_role;
select pg_temp.say('11');

create temporary table first as select * from claim_messages('first');
select is(pg_temp.claim(), null, 'While a lease holds, nobody else claims.');
create temporary table extended as select * from extend_lease((select id from first), (select token from first), '10 minutes') as until;
select is((pg_temp.job('11')).leased_until, (select until from extended), 'Extending returns until when.');
select ok(
  (select until between now() + interval '10 minutes' and clock_timestamp() + interval '10 minutes' from extended),
  'So long from now.'
);
select is((pg_temp.job('11')).token, (select token from first), 'The token stays.');
select ok(
  extend_lease((select id from first), (select token from first)) < clock_timestamp() + interval '31 seconds',
  'A lease is half a minute unless said otherwise, and may be shortened.'
);

select pg_temp.run_out('11');
select ok(
  extend_lease((select id from first), (select token from first)) > now(),
  'A lease that has run out is extended as long as nobody else claimed.'
);
select pg_temp.run_out('11');
create temporary table second as select * from claim_messages('second');
select is((select id from second), (select id from first), 'When a lease has run out, somebody else claims.');
select isnt((select token from second), (select token from first), 'With a token of their own.');
select is((pg_temp.message('11')).status, 'processing', 'It was processing all the time.');
select is((select attempt from second), 1, 'A worker that vanished has not reported a failure.');
select is((pg_temp.job('11')).claims, 2, 'But it is counted that two took it.');

create temporary table lost as
select 'PT409 | This claim has been lost | Message 00000000-0000-4000-8000-000000000011 was claimed by somebody else,'
       ' was moved on by a client, or is gone. Nothing was written.'
       ' | Drop the work. Extend a lease in time, or claim with a longer one.' as reason;
create temporary table kept as select (pg_temp.message('11')).*;
select is(
  pg_temp.refusal('select complete_message(id, token, ''late'') from first'), reason, 'The first worker cannot complete.'
)
from lost;
select is(pg_temp.refusal('select fail_message(id, token, ''late'') from first'), reason, 'Nor fail.') from lost;
select is(pg_temp.refusal('select release_message(id, token) from first'), reason, 'Nor release.') from lost;
select is(pg_temp.refusal('select extend_lease(id, token) from first'), reason, 'Nor extend.') from lost;
select is(
  pg_temp.refusal('select complete_message(id, gen_random_uuid(), ''guessed'') from first'), reason,
  'Nor does a token that nobody was given.'
)
from lost;
select is(pg_temp.refusal('select complete_message(id, null, ''none'') from first'), reason, 'Nor none.') from lost;
select results_eq('select (pg_temp.message(''11'')).*', 'table kept', 'Nothing was written.');
select is(
  split_part(pg_temp.refusal('select extend_lease(gen_random_uuid(), token) from second'), ' | ', 2),
  'This claim has been lost', 'A token is of one message.'
);
select is(
  pg_temp.refusal('select extend_lease(id, token, ''2 hours'') from second'),
  'PT400 | A lease is at most 1 hour | The lease is 02:00:00. | Extend a lease again while the work goes on.',
  'A lease is an hour at most.'
);
select is(
  split_part(pg_temp.refusal('select extend_lease(id, token, null) from second'), ' | ', 3), 'The lease is null.',
  'Nor is it for ever.'
);
select is(
  split_part(pg_temp.refusal('select extend_lease(id, token, ''-1 second'') from second'), ' | ', 1), 'PT400',
  'Nor over already.'
);
select is(
  (select (complete_message(id, token, 'mensaje 11')).translation from second), 'mensaje 11',
  'The second worker completes.'
);

update private.settings set max_claims = 2;
select pg_temp.say('12');
select pg_temp.claim();
select pg_temp.run_out('12');
select is(pg_temp.claim(), '12', 'What one worker never gave back is handed out again.');
select pg_temp.run_out('12');
select is(pg_temp.claim(), null, 'What settings.max_claims workers never gave back is not.');
select is(
  (select (status, error)::text from pg_temp.message('12')),
  '(failed,"Given up: worker after worker took this message, and none came back.")', 'It failed, and says why.'
);

select * from finish();
rollback;
