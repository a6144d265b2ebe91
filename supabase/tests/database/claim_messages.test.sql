-- Claiming: the oldest first, whatever session they are of; nothing twice; in order within a session.
begin;
create extension if not exists pgtap with schema extensions;
select plan(33);

\ir refusal.psql
\ir queue.psql

-- An empty queue, whatever was in it.
update public.messages set status = 'displayed' where status in ('queued', 'processing');
select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
set local role service_role;

select is(pg_temp.claim(), null, 'In an empty queue there is nothing to claim.');

select pg_temp.say('11');
select pg_temp.say('21', '00000000-0000-4000-8000-000000000002');
select pg_temp.say('12');
select pg_temp.say('22', '00000000-0000-4000-8000-000000000002');
select is(pg_temp.claim(3), '11 12 21', 'The three oldest are claimed, and handed out by session in order.');
select is((pg_temp.message('11')).status, 'processing', 'Whatever is claimed is processing.');
select is((pg_temp.message('22')).status, 'queued', 'Whatever is not, is queued.');
select is((pg_temp.message('11')).processed_at, null, 'A claim is no translation.');
select is((pg_temp.message('11')).rev, 3::bigint, 'A claim is a new state, and has its rev.');
select is(pg_temp.claim(3), '22', 'The next worker gets what is left.');
select is(pg_temp.claim(3), null, 'Nothing is claimed twice.');

select pg_temp.say('13');
create temporary table claimed as select * from claim_messages('worker 7', lease => '5 minutes');
select results_eq(
  $$ select id, session_id, user_id, original, original_lang, target_lang, seq, attempt from claimed $$,
  $$ select id, session_id, user_id, original, original_lang, target_lang, seq, 1 from pg_temp.message('13') $$,
  'A claim holds all that a translator needs, and is the first attempt.'
);
select is((pg_temp.job('13')).token, (select token from claimed), 'It comes with a token.');
select isnt((select token from claimed), null, 'Which is not nothing.');
select is((pg_temp.job('13')).worker, 'worker 7', 'The queue knows whose it is.');
select ok(
  (select leased_until between now() + interval '5 minutes' and clock_timestamp() + interval '5 minutes' from claimed),
  'It holds as long as was asked.'
);
select ok(
  (pg_temp.job('22')).leased_until between now() + interval '30 seconds' and clock_timestamp() + interval '30 seconds',
  'Else half a minute.'
);
select is(
  (select count(distinct token) from private.translation_jobs j
   join public.messages m on m.id = j.message_id and m.original like 'message __'),
  5::bigint, 'No two claims share a token.'
);

select pg_temp.say('14');
update public.messages set translation = 'mensaje 14' where id = '00000000-0000-4000-8000-000000000014';
select is(pg_temp.claim(), null, 'What is translated is not claimed, though it is queued.');
select pg_temp.say('15');
select pg_temp.say('16');
select pg_temp.say('17');
update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000015';
update public.messages set status = 'failed' where id = '00000000-0000-4000-8000-000000000016';
update public.messages set status = 'processing' where id = '00000000-0000-4000-8000-000000000017';
select is(pg_temp.claim(), null, 'Nor what is displayed, what failed, nor what a client took by a plain update.');

select pg_temp.say('18');
select close_session('00000000-0000-4000-8000-000000000001');
select is(pg_temp.claim(), '18', 'What was said before its session closed is translated all the same.');

select pg_temp.say('23', '00000000-0000-4000-8000-000000000002');
select pg_temp.say('24', '00000000-0000-4000-8000-000000000002');
update private.session_revisions set rev = rev where session_id = '00000000-0000-4000-8000-000000000002';
select is(pg_temp.claim(1), '23', 'Within a session, the older one.');
select is(pg_temp.claim(1), '24', 'Then the newer one.');

create temporary table refused as
select 'PT400 | A claim needs a worker, a limit from 1 to 100 and a lease of 0 to 1 hour'
       ' | The worker''s name has %s characters (1 to 200), the limit is %s, the lease %s.'
       ' | Give the worker any name that tells it from the others, and a lease well above what a translation takes.' as reason;
select is(pg_temp.refusal('select claim_messages(null)'), format(reason, 0, 10, '00:00:30'), 'A worker has a name.')
from refused;
select is(
  pg_temp.refusal($$ select claim_messages('w', 0) $$), format(reason, 1, 0, '00:00:30'),
  'Claiming nothing is refused.'
)
from refused;
select is(split_part(pg_temp.refusal($$ select claim_messages('w', -1) $$), ' | ', 1), 'PT400', 'So is less.');
select is(
  pg_temp.refusal($$ select claim_messages('w', 101) $$), format(reason, 1, 101, '00:00:30'),
  'So is claiming more than 100.'
)
from refused;
select is(pg_temp.refusal($$ select claim_messages('w', 100) $$), null, 'A hundred is not too many.');
select is(
  pg_temp.refusal($$ select claim_messages('w', null) $$), format(reason, 1, 'null', '00:00:30'), 'All is.'
)
from refused;
select is(
  pg_temp.refusal($$ select claim_messages('w', 10, '61 minutes') $$),
  format(reason, 1, 10, '01:01:00'), 'A lease is an hour at most.'
)
from refused;
select is(pg_temp.refusal($$ select claim_messages('w', 10, '1 hour') $$), null, 'An hour is not too long.');
select is(
  split_part(pg_temp.refusal($$ select claim_messages('w', 10, '-1 second') $$), ' | ', 1), 'PT400',
  'A lease does not end before it begins.'
);
select is(
  split_part(pg_temp.refusal($$ select claim_messages('w', 10, null) $$), ' | ', 1), 'PT400', 'Nor lasts for ever.'
);
select is(
  split_part(pg_temp.refusal($$ select claim_messages('') $$), ' | ', 1), 'PT400', 'An empty name is none.'
);
select is(
  pg_temp.refusal($$ select claim_messages(repeat('w', 201)) $$), format(reason, 201, 10, '00:00:30'),
  'A name ends at 200 characters.'
)
from refused;
select is(pg_temp.refusal($$ select claim_messages(repeat('é', 200)) $$), null, 'It may be that long.');

select * from finish();
rollback;
