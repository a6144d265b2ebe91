-- Refusals: every failure of ours has a code, and a message, a detail and a hint of one plain line each, whatever was sent.
begin;
create extension if not exists pgtap with schema extensions;
select plan(26);

-- How the statement is refused: its code, if message, detail and hint are each one line of plain characters.
create function pg_temp.plainly_refused(statement text) returns text language plpgsql as $$
declare
  said text[];
begin
  execute statement;
  return 'not refused';
exception when others then
  declare
    message text;
    detail text;
    hint text;
  begin
    get stacked diagnostics message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
    said := array[message, detail, hint];
    if '' = any(said) or array_to_string(said, '') ~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]' then
      return sqlstate || ', but: ' || to_jsonb(said)::text;
    end if;
    return sqlstate;
  end;
end;
$$;

select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
select close_session('00000000-0000-4000-8000-000000000002');
select send_message(
  '00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-00000000000a', 'Hello', 'en', 'es'
);
update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000011';

set local role anon;
select is(pg_temp.plainly_refused($$ select join_session('0000', null, 'en') $$), 'PT400', 'join_session: half a participant.');
select is(pg_temp.plainly_refused($$ select join_session(E'1\n2\r3\t4') $$), 'PT404', 'join_session: a code of line breaks.');
select is(pg_temp.plainly_refused($$ select join_session(E'\x01\x1b[31m') $$), 'PT404', 'join_session: a code that colours a terminal.');
select is(pg_temp.plainly_refused($$ select join_session(U&'\007f\0085\2028\2029') $$), 'PT404', 'join_session: a code of rarer breaks.');
select is(pg_temp.plainly_refused($$ select join_session('') $$), 'PT404', 'join_session: an empty code.');
select is(pg_temp.plainly_refused('select join_session(null)'), 'PT404', 'join_session: no code.');
select is(pg_temp.plainly_refused($$ select join_session(repeat('9', 1000000)) $$), 'PT404', 'join_session: a code without an end.');
select is(
  pg_temp.plainly_refused($$ select extend_session('00000000-0000-4000-8000-000000000001', '-1 hour') $$), 'PT400',
  'extend_session: less time.'
);
select is(
  pg_temp.plainly_refused($$ select extend_session('00000000-0000-4000-8000-000000000002', '1 hour') $$), 'PT410',
  'extend_session: a closed session.'
);
select is(pg_temp.plainly_refused('select extend_session(null, null)'), 'PT400', 'extend_session: nothing.');
select is(pg_temp.plainly_refused('select close_session(null)'), 'PT404', 'close_session: no session.');
select is(
  pg_temp.plainly_refused($$
    select send_message('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
                        '00000000-0000-4000-8000-00000000000a', E'Good\nbye', 'en')
  $$),
  'PT409', 'send_message: another text of two lines.'
);
select is(
  pg_temp.plainly_refused($$
    select send_message(gen_random_uuid(), '00000000-0000-4000-8000-000000000001', gen_random_uuid(), E'a\nb', E'c\nd')
  $$),
  'PT409', 'send_message: nobody to translate for.'
);
select is(
  pg_temp.plainly_refused($$
    select send_message(gen_random_uuid(), '00000000-0000-4000-8000-000000000002', gen_random_uuid(), 'a', 'en')
  $$),
  'PT410', 'send_message: a closed session.'
);
select is(
  pg_temp.plainly_refused($$ select send_messages('00000000-0000-4000-8000-000000000001', '"a\nb"') $$), 'PT400',
  'send_messages: a text of two lines.'
);
select is(pg_temp.plainly_refused('select send_messages(null, null)'), 'PT400', 'send_messages: nothing.');
select is(
  pg_temp.plainly_refused($$
    select send_messages('00000000-0000-4000-8000-000000000001', '[{"id": "a\nb", "c\nd": "\u2028"}]')
  $$),
  'PT400', 'send_messages: an id and a key of two lines.'
);
select is(
  pg_temp.plainly_refused($$
    select send_messages('00000000-0000-4000-8000-000000000001', jsonb_build_array(jsonb_build_object(
      'id', '00000000-0000-4000-8000-000000000011', 'user_id', '00000000-0000-4000-8000-00000000000a',
      'original', E'Good\nbye', 'original_lang', 'en'
    )))
  $$),
  'PT409', 'send_messages: another text of two lines.'
);
select is(
  pg_temp.plainly_refused($$
    update public.messages set status = 'queued' where id = '00000000-0000-4000-8000-000000000011'
  $$),
  'PT409', 'messages: an illegal move of status.'
);
select is(
  pg_temp.plainly_refused($$
    select touch_participant('00000000-0000-4000-8000-000000000002', gen_random_uuid())
  $$),
  'PT410', 'touch_participant: a closed session.'
);

set local role service_role;
select is(pg_temp.plainly_refused($$ select claim_messages(E'w\n1', 0) $$), 'PT400', 'claim_messages: a worker of two lines.');
select is(pg_temp.plainly_refused($$ select claim_messages(U&'w\0085', 0) $$), 'PT400', 'claim_messages: a rarer break.');
select is(
  pg_temp.plainly_refused('select extend_lease(null, null, null)'), 'PT400', 'extend_lease: nothing.'
);
select is(
  pg_temp.plainly_refused($$ select complete_message(gen_random_uuid(), gen_random_uuid(), E'a\nb') $$), 'PT409',
  'complete_message: an unknown claim.'
);
select is(
  pg_temp.plainly_refused($$ select fail_message(null, null, E'a\nb') $$), 'PT409', 'fail_message: no claim.'
);
select is(pg_temp.plainly_refused('select release_message(null, null)'), 'PT409', 'release_message: no claim.');

select * from finish();
rollback;
