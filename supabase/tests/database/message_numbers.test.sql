-- Numbers of messages: seq and rev, for everybody who writes, whatever way.
begin;
create extension if not exists pgtap with schema extensions;
select plan(26);

-- The last rev given in a session.
create function pg_temp.counter(session uuid) returns bigint language sql stable security definer as $$
  select r.rev from private.session_revisions r where r.session_id = session
$$;
create function pg_temp.numbers(session uuid) returns setof text language sql stable as $$
  select m.original || ' ' || m.seq || ' ' || m.rev from public.messages m where m.session_id = session order by m.seq
$$;

set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
select is(pg_temp.counter('00000000-0000-4000-8000-000000000001'), 0::bigint, 'A new session has a counter, at 0.');

select results_eq(
  $$ insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'one', 'en', 'es')
     returning seq, rev $$,
  'values (1::bigint, 1::bigint)', 'The first message has seq 1 and rev 1.'
);
select results_eq(
  $$ select seq, rev from send_message('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-000000000001',
                                       gen_random_uuid(), 'two', 'en', 'es') $$,
  'values (2::bigint, 2::bigint)', 'The second one follows, by whatever way it comes.'
);
select results_eq(
  $$ insert into public.messages (session_id, user_id, original, original_lang, target_lang)
     select '00000000-0000-4000-8000-000000000001', gen_random_uuid(), word, 'en', 'es'
     from unnest(array['three', 'four', 'five']) with ordinality as words (word, place) order by place
     returning original, seq, rev $$,
  $$ values ('three', 3::bigint, 3::bigint), ('four', 4, 4), ('five', 5, 5) $$,
  'Many in one statement are numbered in their order.'
);
select is(pg_temp.counter('00000000-0000-4000-8000-000000000001'), 5::bigint, 'The counter is at the last rev.');

select results_eq(
  $$ update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000011' returning seq, rev $$,
  'values (1::bigint, 6::bigint)', 'A new state has the next rev, and keeps its place.'
);
select results_eq(
  $$ update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000011' returning seq, rev $$,
  'values (1::bigint, 7::bigint)', 'So has a state that says the same again.'
);
select results_eq(
  $$ insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
     select '00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-000000000001', user_id, 'two!', 'en', 'es'
     from public.messages where id = '00000000-0000-4000-8000-000000000012'
     on conflict (id) do update set original = excluded.original
     returning original, seq, rev $$,
  $$ values ('two!', 2::bigint, 8::bigint) $$, 'An upsert of a known id is one new state, one rev.'
);
select results_eq(
  $$ insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000016', '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'six', 'en', 'es')
     on conflict (id) do update set original = excluded.original
     returning seq, rev $$,
  'values (9::bigint, 9::bigint)', 'An upsert of a new id is a new message.'
);

select is_empty(
  $$ insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'uno', 'es', 'en')
     on conflict do nothing returning id $$,
  'A known id with "do nothing" does nothing.'
);
select is(pg_temp.counter('00000000-0000-4000-8000-000000000001'), 9::bigint, 'It burns no rev.');
select results_eq(
  $$ insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'uno', 'es', 'en'),
            ('00000000-0000-4000-8000-000000000017', '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'seven', 'en', 'es'),
            ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'dos', 'es', 'en'),
            ('00000000-0000-4000-8000-000000000018', '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'eight', 'en', 'es')
     on conflict do nothing returning original, rev $$,
  $$ values ('seven', 10::bigint), ('eight', 11::bigint) $$,
  'Among many, only the new ones get a number.'
);
select throws_ok(
  $$ insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'uno', 'es', 'en') $$,
  '23505', null, 'A known id is refused otherwise.'
);
select throws_ok(
  $$ insert into public.messages (session_id, user_id, original, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), '', 'es', 'en') $$,
  '23514', null, 'So is a message without a text.'
);
select throws_ok(
  $$ update public.messages set status = 'queued' where id = '00000000-0000-4000-8000-000000000011' $$,
  'PT409', null, 'So is a move that is not legal.'
);
select is(
  pg_temp.counter('00000000-0000-4000-8000-000000000001'), 11::bigint, 'What was refused burns no rev.'
);
select results_eq(
  $$ select pg_temp.numbers('00000000-0000-4000-8000-000000000001') $$,
  array['one 1 7', 'two! 2 8', 'three 3 3', 'four 4 4', 'five 5 5', 'six 9 9', 'seven 10 10', 'eight 11 11'],
  'Every place is there once, in order, and every rev is of the last state.'
);

select results_eq(
  $$ insert into public.messages (session_id, user_id, original, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000002', gen_random_uuid(), 'first', 'en', 'es') returning seq, rev $$,
  'values (1::bigint, 1::bigint)', 'Another session counts by itself.'
);
select results_eq(
  $$ insert into public.messages (session_id, user_id, original, original_lang, target_lang, seq, rev)
     values ('00000000-0000-4000-8000-000000000002', gen_random_uuid(), 'forged', 'en', 'es', 99, 99) returning seq, rev $$,
  'values (2::bigint, 2::bigint)', 'A client cannot choose its place.'
);
select results_eq(
  $$ update public.messages
     set seq = 99, rev = 99, id = gen_random_uuid(), session_id = '00000000-0000-4000-8000-000000000002'
     where id = '00000000-0000-4000-8000-000000000011' returning id, session_id, seq, rev $$,
  $$ values ('00000000-0000-4000-8000-000000000011'::uuid, '00000000-0000-4000-8000-000000000001'::uuid, 1::bigint, 12::bigint) $$,
  'Nor change the place, the session or the id of a message.'
);
select is(
  pg_temp.counter('00000000-0000-4000-8000-000000000002'), 2::bigint, 'The other session has not noticed.'
);

set local role service_role;
select results_eq(
  $$ insert into public.messages (session_id, user_id, original, original_lang, target_lang, seq, rev)
     values ('00000000-0000-4000-8000-000000000002', gen_random_uuid(), 'forged', 'en', 'es', 99, 99) returning seq, rev $$,
  'values (3::bigint, 3::bigint)', 'Nor can the service.'
);
reset role;
select results_eq(
  $$ update public.messages set rev = 99
     where session_id = '00000000-0000-4000-8000-000000000002' and seq = 3 returning seq, rev $$,
  'values (3::bigint, 4::bigint)', 'Nor the owner.'
);
delete from public.messages where session_id = '00000000-0000-4000-8000-000000000002' and seq = 3;
select results_eq(
  $$ select seq, rev from send_message(gen_random_uuid(), '00000000-0000-4000-8000-000000000002',
                                       gen_random_uuid(), 'fourth', 'en', 'es') $$,
  'values (5::bigint, 5::bigint)', 'The number of a deleted message is never given again.'
);
select is_empty(
  $$ select from public.messages group by session_id, rev having count(*) > 1 $$, 'No rev is there twice.'
);
delete from public.sessions where id = '00000000-0000-4000-8000-000000000002';
select is(
  pg_temp.counter('00000000-0000-4000-8000-000000000002'), null, 'A deleted session takes its counter along.'
);

select * from finish();
rollback;
