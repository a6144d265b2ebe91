-- Catching up: the states after a rev, in order, a page at a time.
begin;
create extension if not exists pgtap with schema extensions;
select plan(14);

set local role anon;
select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
insert into public.messages (session_id, user_id, original, original_lang, target_lang)
select '00000000-0000-4000-8000-000000000001', gen_random_uuid(), n::text, 'en', 'es' from generate_series(1, 5) as n;
insert into public.messages (session_id, user_id, original, original_lang, target_lang)
values ('00000000-0000-4000-8000-000000000002', gen_random_uuid(), 'elsewhere', 'en', 'es');
update public.messages set status = 'displayed'
where session_id = '00000000-0000-4000-8000-000000000001' and seq = 2;

create function pg_temp.since(rev bigint, size integer default 1000) returns text language sql as $$
  select string_agg(m.original || ':' || m.rev, ' ') from messages_since('00000000-0000-4000-8000-000000000001', rev, size) m
$$;

select is(pg_temp.since(0), '1:1 3:3 4:4 5:5 2:6', 'From the start: each message once, in its last state, by rev.');
select is(pg_temp.since(4), '5:5 2:6', 'After a rev: only what is newer.');
select is(pg_temp.since(5), '2:6', 'A message that changed comes again.');
select is(pg_temp.since(6), null, 'After the last one: nothing.');
select is(pg_temp.since(99), null, 'After one that is not there yet: nothing.');
select is(pg_temp.since(-1), '1:1 3:3 4:4 5:5 2:6', 'Before the first one: all.');
select is(pg_temp.since(0, 2), '1:1 3:3', 'A page is as long as was asked.');
select is(pg_temp.since(3, 2), '4:4 5:5', 'Its last rev is where to go on.');
select is(pg_temp.since(0, 0), null, 'A page of nothing is empty.');
select is(
  (select count(*) from messages_since('00000000-0000-4000-8000-000000000001')), 5::bigint,
  'Without a rev it begins at the start.'
);
select is_empty(
  $$ select from messages_since('00000000-0000-4000-8000-0000000000ff') $$, 'An unknown session has no messages.'
);
insert into public.messages (session_id, user_id, original, original_lang, target_lang)
select '00000000-0000-4000-8000-000000000002', gen_random_uuid(), n::text, 'en', 'es' from generate_series(1, 1100) as n;
select is(
  (select count(*) from messages_since('00000000-0000-4000-8000-000000000002', 0, 5000)), 1000::bigint,
  'A page has 1,000 messages at most.'
);
select is(
  (select count(*) from messages_since('00000000-0000-4000-8000-000000000002', 1000)), 101::bigint,
  'The next one has the rest.'
);
select is(
  (select count(*) from messages_since('00000000-0000-4000-8000-000000000002', 0, null)), 1000::bigint,
  'No limit is that limit.'
);

select * from finish();
rollback;
