-- Releasing: a claim is given back as if it had not been.
begin;
create extension if not exists pgtap with schema extensions;
select plan(12);

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
