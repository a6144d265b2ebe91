-- Moves of status: all sixteen, and a sentence for each that is not legal.
begin;
create extension if not exists pgtap with schema extensions;
select plan(27);

\ir refusal.psql
select create_session('00000000-0000-4000-8000-000000000001');

-- A message of that status, moved to another: null, or why not.
create function pg_temp.move(earlier text, later text) returns text language plpgsql as $$
declare
  moved uuid;
begin
  insert into public.messages (session_id, user_id, original, original_lang, target_lang, status)
  values ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'Hello', 'en', 'es', earlier)
  returning id into moved;
  return regexp_replace(
    pg_temp.refusal(format('update public.messages set status = %L where id = %L', later, moved)), moved::text, 'X'
  );
end;
$$;
create function pg_temp.no_move(earlier text, later text) returns text language sql as $$
  select format(
    'PT409 | A message that is %s cannot become %s | Message X was left as it was.'
    ' | queued goes to processing, displayed or failed; processing to displayed, failed or queued; failed to queued.',
    earlier, later
  )
$$;

set local role anon;

select is(pg_temp.move('queued', 'queued'), null, 'queued may stay queued.');
select is(pg_temp.move('queued', 'processing'), null, 'queued goes to processing: a worker took it.');
select is(pg_temp.move('queued', 'displayed'), null, 'queued goes to displayed: shown as it was said.');
select is(pg_temp.move('queued', 'failed'), null, 'queued goes to failed.');
select is(pg_temp.move('processing', 'processing'), null, 'processing may stay processing.');
select is(pg_temp.move('processing', 'displayed'), null, 'processing goes to displayed.');
select is(pg_temp.move('processing', 'failed'), null, 'processing goes to failed.');
select is(pg_temp.move('processing', 'queued'), null, 'processing goes back to queued: the worker gave it up.');
select is(pg_temp.move('failed', 'failed'), null, 'failed may stay failed.');
select is(pg_temp.move('failed', 'queued'), null, 'failed goes to queued: it is tried again.');
select is(pg_temp.move('displayed', 'displayed'), null, 'displayed may stay displayed.');

select is(
  pg_temp.move('displayed', 'queued'), pg_temp.no_move('displayed', 'queued'), 'displayed is final: not queued.'
);
select is(
  pg_temp.move('displayed', 'processing'), pg_temp.no_move('displayed', 'processing'), 'Not processing.'
);
select is(pg_temp.move('displayed', 'failed'), pg_temp.no_move('displayed', 'failed'), 'Not failed.');
select is(
  pg_temp.move('failed', 'processing'), pg_temp.no_move('failed', 'processing'), 'failed is queued before it is processed.'
);
select is(
  pg_temp.move('failed', 'displayed'), pg_temp.no_move('failed', 'displayed'), 'Nor is it displayed.'
);
select is(
  split_part(pg_temp.move('displayed', 'lost'), ' | ', 1), '23514', 'What is no status is refused as such.'
);
select is(split_part(pg_temp.move('queued', null), ' | ', 1), '23502', 'So is none.');

set local role authenticated;
select is(
  pg_temp.move('displayed', 'queued'), pg_temp.no_move('displayed', 'queued'), 'Signing in changes nothing in that.'
);
set local role service_role;
select is(
  pg_temp.move('displayed', 'queued'), pg_temp.no_move('displayed', 'queued'), 'Nor does the secret key.'
);
select is(pg_temp.move('failed', 'displayed'), pg_temp.no_move('failed', 'displayed'), 'In no move.');
reset role;
select is(
  pg_temp.move('displayed', 'processing'), pg_temp.no_move('displayed', 'processing'), 'Nor being the owner.'
);

set local role anon;
insert into public.messages (id, session_id, user_id, original, original_lang, target_lang, status)
values (
  '00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-00000000000a', 'Hello', 'en', 'es', 'displayed'
);
create temporary table shown as select * from public.messages where id = '00000000-0000-4000-8000-000000000011';
select throws_ok(
  $$ update public.messages set status = 'queued', translation = 'Hola', original = 'Bye'
     where id = '00000000-0000-4000-8000-000000000011' $$,
  'PT409', null, 'A refused move takes all of its statement along.'
);
select results_eq(
  $$ select * from public.messages where id = '00000000-0000-4000-8000-000000000011' $$, 'table shown',
  'The message was left as it was.'
);
select throws_ok(
  $$ update public.messages set status = 'processing' where session_id = '00000000-0000-4000-8000-000000000001' $$,
  'PT409', null, 'One illegal move among many refuses all.'
);
select throws_ok(
  $$ insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
     select id, session_id, user_id, original, original_lang, target_lang from shown
     on conflict (id) do update set status = excluded.status $$,
  'PT409', null, 'An upsert is no way around it.'
);
select lives_ok(
  $$ update public.messages set translation = 'Hola' where id = '00000000-0000-4000-8000-000000000011' $$,
  'What is displayed may still get a better translation.'
);

select * from finish();
rollback;
