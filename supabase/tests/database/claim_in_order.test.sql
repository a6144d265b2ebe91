-- Claiming in order: a session belongs to one worker at a time; its first message comes before any other's second.
begin;
create extension if not exists pgtap with schema extensions;
select plan(20);

\ir refusal.psql
\ir queue.psql

-- Who claims what in order: the last digits of the ids, in the order in which they come.
create function pg_temp.claim_in_order(size integer default 10) returns text language sql as $$
  select string_agg(right(c.id::text, 2), ' ') from claim_messages('worker', size, in_order => true) c
$$;

-- An empty queue, whatever was in it.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
set local role service_role;

select is(pg_temp.claim_in_order(), null, 'In an empty queue there is nothing to claim.');

select pg_temp.say('11');
select pg_temp.say('12');
select pg_temp.say('13');
select pg_temp.say('21', '00000000-0000-4000-8000-000000000002');
select pg_temp.say('22', '00000000-0000-4000-8000-000000000002');
select is(
  pg_temp.claim_in_order(3), '11 12 21', 'Each session''s first message comes before any one''s second.'
);
select is(pg_temp.claim_in_order(), null, 'While one of its messages is held, nothing of a session is claimed in order.');

select pg_temp.say('14');
select is(pg_temp.claim_in_order(), null, 'Nor what is said meanwhile.');
select complete_message(id, (pg_temp.job('21')).token, 'mensaje 21') from pg_temp.message('21');
select is(pg_temp.claim_in_order(), '22', 'When all that was held of a session is done, the next is claimed.');
select complete_message(id, (pg_temp.job('11')).token, 'mensaje 11') from pg_temp.message('11');
select is(pg_temp.claim_in_order(), null, 'All of it, not the first alone.');
select is(pg_temp.claim(1), '13', 'A worker that does not ask for order takes the next one all the same.');
select release_message(id, (pg_temp.job('13')).token) from pg_temp.message('13');
select release_message(id, (pg_temp.job('12')).token) from pg_temp.message('12');
select is(pg_temp.claim_in_order(), '12 13 14', 'What was given back comes in its old place.');

select pg_temp.run_out('12');
select is(pg_temp.claim_in_order(), null, 'While one lease holds, others of the session that ran out wait.');
select pg_temp.run_out('13');
select pg_temp.run_out('14');
select is(pg_temp.claim_in_order(2), '12 13', 'When all have run out, they are claimed again, from the first.');
select is(pg_temp.claim_in_order(), null, 'The rest waits with them.');

select fail_message(id, (pg_temp.job('12')).token, 'No luck.') from pg_temp.message('12');
select complete_message(id, (pg_temp.job('13')).token, 'mensaje 13') from pg_temp.message('13');
select is(pg_temp.claim_in_order(), '14', 'A message that failed does not hold up those behind it.');
select complete_message(id, (pg_temp.job('14')).token, 'mensaje 14') from pg_temp.message('14');
select pg_temp.say('15');
select pg_temp.wait_out('12');
select is(pg_temp.claim_in_order(), '12 15', 'After its pause it comes first again.');

select complete_message(id, (pg_temp.job('12')).token, 'mensaje 12') from pg_temp.message('12');
update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000015';
select pg_temp.say('16');
create temporary table claimed as select * from claim_messages('worker', in_order => true);
select results_eq(
  'select id, original, attempt, queued_at from claimed',
  $$ select id, original, 1, queued_at from pg_temp.message('16') $$,
  'A message that a client moved on is held no more; and a claim says since when the next has waited.'
);
select ok(
  (select leased_until between now() + interval '30 seconds' and clock_timestamp() + interval '30 seconds' from claimed),
  'Its lease is as long as any.'
);

select pg_temp.say('23', '00000000-0000-4000-8000-000000000002');
select pg_temp.say('24', '00000000-0000-4000-8000-000000000002');
select release_message(id, token) from claimed;
select is(
  (select string_agg(right(c.id::text, 2), ' ') from claim_messages('worker', in_order => null) c), '16 23 24',
  'Null asks for no order.'
);
select is(
  split_part(pg_temp.refusal($$ select claim_messages('w', 0, in_order => true) $$), ' | ', 1), 'PT400',
  'The same limits hold.'
);
update private.settings set max_claims = 1;
select pg_temp.run_out('16');
select pg_temp.claim_in_order();
select is((pg_temp.message('16')).status, 'failed', 'What none ever brings to an end fails here too.');

-- What was said before comes along.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select pg_temp.say('31');
select results_eq(
  $$ select context from claim_messages('worker', turns => 2) $$,
  $$ select array(
    select original from (select original, seq from public.messages
      where session_id = '00000000-0000-4000-8000-000000000001' and id <> '00000000-0000-4000-8000-000000000031'
      order by seq desc limit 2) last
    order by seq) $$,
  'A claim brings the last turns along, the oldest first.'
);
select pg_temp.say('32');
select results_eq(
  $$ select context from claim_messages('worker') $$, $$ values (array[]::text[]) $$, 'Unasked, none.'
);

select * from finish();
rollback;
