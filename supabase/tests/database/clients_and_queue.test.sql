-- Clients beside the queue: their plain updates go on working, and a worker's claim ends with them.
begin;
create extension if not exists pgtap with schema extensions;
select plan(16);

\ir refusal.psql
\ir queue.psql

-- An empty queue, whatever was in it.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select create_session('00000000-0000-4000-8000-000000000001');
-- A claimed message, which anon then changes by that assignment.
create function pg_temp.claimed_then(digits text, assignment text) returns void language plpgsql as $$
begin
  set local role service_role;
  perform pg_temp.say(digits);
  perform from claim_messages('worker');
  set local role anon;
  execute format('update public.messages set %s where id = %L', assignment, (pg_temp.message(digits)).id);
  set local role service_role;
end;
$$;
create function pg_temp.complete(digits text) returns text language sql as $$
  select split_part(
    pg_temp.refusal(format(
      'select complete_message(%L, %L, %L)', (pg_temp.message(digits)).id, (pg_temp.job(digits)).token, 'late'
    )), ' | ', 1
  )
$$;

select pg_temp.claimed_then('11', $$ translation = 'mensaje 11', status = 'processing' $$);
select is((pg_temp.job('11')).leased_until, null, 'A client''s translation ends the lease.');
select is(pg_temp.complete('11'), 'PT409', 'The worker''s comes too late.');
select is((pg_temp.message('11')).translation, 'mensaje 11', 'The client''s stays.');

select pg_temp.claimed_then('12', $$ status = 'displayed' $$);
select is((pg_temp.job('12')).leased_until, null, 'Displaying ends the lease.');
select is(pg_temp.complete('12'), 'PT409', 'The worker is told.');

select pg_temp.claimed_then('13', $$ status = 'failed', error = 'Cancelled.' $$);
select is((pg_temp.job('13')).leased_until, null, 'A client that calls it failed ends the lease.');
select is(pg_temp.complete('13'), 'PT409', 'The worker is told.');

select pg_temp.claimed_then('14', $$ status = 'queued' $$);
select is((pg_temp.job('14')).leased_until, null, 'A client that queues it again ends the lease.');
select is(pg_temp.complete('14'), 'PT409', 'The worker is told.');
select is(pg_temp.claim(), '14', 'Another one gets it at once.');
select is((pg_temp.job('14')).failures, 0, 'Nobody failed.');

select pg_temp.claimed_then('15', $$ performance_metrics = '{}' $$);
select isnt((pg_temp.job('15')).leased_until, null, 'A client that changes something else leaves the claim alone.');
select is(pg_temp.complete('15'), null, 'The worker completes it.');

update private.settings set max_failures = 1;
select pg_temp.say('16');
select fail_message(c.id, c.token, 'No model.') from claim_messages('worker') c;
set local role anon;
select lives_ok(
  $$ update public.messages set status = 'queued' where id = '00000000-0000-4000-8000-000000000016' $$,
  'A client queues again what failed.'
);
set local role service_role;
select is((pg_temp.job('16')).failures, 0, 'It has all its attempts again.');
select is(pg_temp.claim(), '16', 'And is claimed.');

select * from finish();
rollback;
