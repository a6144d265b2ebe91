-- Figures: how long a session's messages took, by hop, what models used; and the two durations that only a display tells.
begin;
create extension if not exists pgtap with schema extensions;
select plan(14);

select create_session('00000000-0000-4000-8000-000000000001');
select create_session('00000000-0000-4000-8000-000000000002');
-- A message that took so long (ms) to be transcribed and translated, as the SDK's own pipeline writes it.
create function pg_temp.translated(digits text, transcribed numeric, translated numeric, usage jsonb default '[]')
returns void language sql as $$
  insert into public.messages (id, session_id, user_id, original, original_lang, target_lang)
  values (('00000000-0000-4000-8000-0000000000' || digits)::uuid, '00000000-0000-4000-8000-000000000001',
          gen_random_uuid(), 'Hello', 'en', 'es');
  update public.messages
  set translation = 'Hola', status = 'processing', performance_metrics = jsonb_build_object(
    'audioRecordingStart', 1000, 'audioRecordingEnd', 3000, 'whisperRequestStart', 3010,
    'whisperResponseEnd', 3010 + transcribed, 'translationRequestStart', 4000,
    'translationResponseEnd', 4000 + translated, 'messageDeliveryTime', 5, 'totalEndToEndTime', 700, 'usage', usage
  )
  where id = ('00000000-0000-4000-8000-0000000000' || digits)::uuid
$$;
create function pg_temp.stats() returns jsonb language sql as $$
  select session_stats('00000000-0000-4000-8000-000000000001')
$$;
create function pg_temp.message(digits text) returns public.messages language sql stable as $$
  select m from public.messages m where m.id = ('00000000-0000-4000-8000-0000000000' || digits)::uuid
$$;

set local role anon;
select is(
  session_stats('00000000-0000-4000-8000-000000000002'), '{"messages": {}, "hops": {}, "usage": []}',
  'A session in which nothing was said has no figures.'
);
select is(session_stats('00000000-0000-4000-8000-0000000000ff') -> 'messages', '{}', 'Nor has one that is not there.');

select pg_temp.translated(
  to_char(n, 'FM00'), 100 * n, 10 * n, jsonb_build_array(
    jsonb_build_object('model', 'whisper-1', 'audioSeconds', 2),
    jsonb_build_object('model', 'gpt-4o-mini', 'inputTokens', 100, 'outputTokens', n)
  )
) from generate_series(1, 20) n;
select is(pg_temp.stats() -> 'messages', '{"processing": 20}', 'Messages are counted by status.');
select is(
  pg_temp.stats() #> '{hops,translate}', '{"messages": 20, "p50": 100, "p95": 190, "max": 200}',
  'Percentiles are the nearest rank: values that were measured.'
);
select is(
  pg_temp.stats() #> '{hops,record}', '{"messages": 20, "p50": 2000, "p95": 2000, "max": 2000}',
  'Recording is a hop.'
);
select is(
  pg_temp.stats() -> 'usage',
  '[{"model": "gpt-4o-mini", "input_tokens": 2000, "output_tokens": 210, "audio_seconds": 0, "characters": 0},
    {"model": "whisper-1", "input_tokens": 0, "output_tokens": 0, "audio_seconds": 40, "characters": 0}]',
  'What models used is added up.'
);
select is(pg_temp.stats() #> '{hops,deliver}', null, 'What nobody has seen was not delivered yet.');
select is(
  pg_temp.stats() #> '{hops,total}', '{"messages": 20, "p50": 700, "p95": 700, "max": 700}',
  'Its total is what it took so far.'
);

reset role;
alter table public.messages disable trigger trigger_messages_number_update;
update public.messages set created_at = now() - interval '2 seconds', processed_at = now() - interval '1.5 seconds'
where id = '00000000-0000-4000-8000-000000000001';
alter table public.messages enable trigger trigger_messages_number_update;
set local role anon;
update public.messages set status = 'displayed' where id = '00000000-0000-4000-8000-000000000001';
select is(
  ((pg_temp.message('01')).performance_metrics ->> 'messageDeliveryTime')::numeric,
  round(extract(epoch from (pg_temp.message('01')).displayed_at - (pg_temp.message('01')).processed_at) * 1000, 3),
  'Delivery is from storing the translation until it was displayed.'
);
select is(
  ((pg_temp.message('01')).performance_metrics ->> 'totalEndToEndTime')::numeric,
  115 + round(extract(epoch from (pg_temp.message('01')).displayed_at - (pg_temp.message('01')).created_at) * 1000, 3),
  'The total is from the end of the recording (110 ms before the text, and 5 ms at most to get here) until then.'
);
select is((pg_temp.stats() #>> '{hops,deliver,messages}')::integer, 1, 'Then it is a hop that was gone.');

-- What an app counts by itself, and what is no metrics at all.
update public.messages set performance_metrics = performance_metrics - 'usage', status = 'displayed'
where id = '00000000-0000-4000-8000-000000000002';
select is(
  (pg_temp.message('02')).performance_metrics -> 'totalEndToEndTime', '700', 'An app''s own numbers stay as they are.'
);
update public.messages set performance_metrics = m.junk, status = 'displayed'
from (values
  ('03', '{"usage": "much", "whisperResponseEnd": "late", "audioRecordingEnd": 1e308}'::jsonb), ('04', '"usage"'),
  ('05', '["usage"]'), ('07', '{"usage": [], "whisperResponseEnd": 1e400, "audioRecordingEnd": -1e400}'), ('06', '{"usage": [1, {"model": 7, "inputTokens": "x"}, {"inputTokens": 3}]}')
) m (digits, junk)
where id = ('00000000-0000-4000-8000-0000000000' || m.digits)::uuid;
select is((pg_temp.message('04')).status, 'displayed', 'What is no metrics does not keep a message from its display.');
select is((pg_temp.stats() #>> '{hops,translate,messages}')::integer, 15, 'And counts nowhere.');

select * from finish();
rollback;
