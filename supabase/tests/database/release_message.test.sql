-- Releasing: a claim is given back as if it had not been.
begin;
create extension if not exists pgtap with schema extensions;
select plan(12);

\ir refusal.psql
\ir queue.psql

-- An empty queue, whatever was in it.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select create_session('00000000-0000-4000-8000-000000000001');
set local role service_role;
select pg_temp.say('11');
create temporary table claimed as select * from claim_messages('worker');

create temporary table released as select r.* from claimed, release_message(claimed.id, claimed.token) r;
select results_eq('table released', 'select (pg_temp.message(''11'')).*', 'Releasing returns the message as it is then.');
select is((select status from released), 'queued', 'It is queued.');
select is((pg_temp.job('11')).leased_until, null, 'The lease has ended.');
select is((pg_temp.job('11')).failures, 0, 'Giving back is no failure.');
select is((pg_temp.job('11')).claims, 0, 'Nor is it counted as a claim.');

create temporary table repeated as select r.* from claimed, release_message(claimed.id, claimed.token) r;
select results_eq('table repeated', 'table released', 'The same call again changes nothing.');
select is((pg_temp.job('11')).claims, 0, 'Nor is it counted back twice.');
select is(
  split_part(pg_temp.refusal('select complete_message(id, token, ''tarde'') from claimed'), ' | ', 1), 'PT409',
  'What was given back cannot be completed.'
);
select is(
  split_part(pg_temp.refusal('select fail_message(id, token, ''late'') from claimed'), ' | ', 1), 'PT409', 'Nor fail.'
);
select is((select attempt from claim_messages('another')), 1, 'It can be claimed at once, as the first attempt.');
select is(
  split_part(pg_temp.refusal('select release_message(id, token) from claimed'), ' | ', 2), 'This claim has been lost',
  'By then the old token gives nothing back.'
);
select is((pg_temp.message('11')).status, 'processing', 'The new claim holds.');

select * from finish();
rollback;
