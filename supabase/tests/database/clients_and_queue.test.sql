-- Clients beside the queue: their plain updates go on working, and a worker's claim ends with them.
begin;
create extension if not exists pgtap with schema extensions;
select plan(16);

create function pg_temp.refusal(statement text) returns text language plpgsql as $$
declare
  message text;
  detail text;
  hint text;
begin
  execute statement;
  return null;
exception when others then
  get stacked diagnostics message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
  return concat_ws(' | ', sqlstate, message, detail, hint);
end;
$$;
-- The user "a" says something, in a message whose id ends in those digits.
create function pg_temp.say(digits text, session uuid default '00000000-0000-4000-8000-000000000001') returns void
language sql as $$
  insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
  values (('00000000-0000-4000-8000-0000000000' || digits)::uuid, session,
          '00000000-0000-4000-8000-00000000000a', 'message ' || digits, 'en', 'es')
$$;
-- Who claims what: the last digits of the ids, in the order in which they come.
create function pg_temp.claim(size integer default 10, worker text default 'worker') returns text language sql as $$
  select string_agg(right(c.id::text, 2), ' ') from claim_messages(worker, size) c
$$;
create function pg_temp.message(digits text) returns public.messages language sql stable as $$
  select m from public.messages m where m.id = ('00000000-0000-4000-8000-0000000000' || digits)::uuid
$$;
create function pg_temp.job(digits text) returns private.translation_jobs language sql stable as $$
  select j from private.translation_jobs j where j.message_id = ('00000000-0000-4000-8000-0000000000' || digits)::uuid
$$;
-- Time cannot be waited for within a transaction.
create function pg_temp.run_out(digits text) returns void language sql as $$
  update private.translation_jobs set leased_until = now() - interval '1 second'
  where message_id = ('00000000-0000-4000-8000-0000000000' || digits)::uuid
$$;
create function pg_temp.wait_out(digits text) returns void language sql as $$
  update private.translation_jobs set next_attempt_at = now()
  where message_id = ('00000000-0000-4000-8000-0000000000' || digits)::uuid
$$;

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
