-- The checks: what no row may hold, whoever writes it. Each is tried at its edge: the first value that is refused, and
-- the last that is not.
begin;
create extension if not exists pgtap with schema extensions;
select plan(57);

-- The name of the constraint that refuses the statement; null if none does.
create function pg_temp.refused_by(statement text) returns text language plpgsql as $$
declare
  refused text;
begin
  execute statement;
  return null;
exception when integrity_constraint_violation then
  get stacked diagnostics refused = constraint_name;
  return coalesce(nullif(refused, ''), sqlerrm);
end;
$$;

select create_session('00000000-0000-4000-8000-000000000001');
insert into public.session_participants (session_id, user_id, lang)
values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'en');

-- Sessions
create function pg_temp.session(code text) returns text language sql as $$
  select pg_temp.refused_by(format('insert into public.sessions (code, is_active) values (%L, false)', code))
$$;
select is(pg_temp.session('123'), 'sessions_code_check', 'A code has no fewer than four digits.');
select is(pg_temp.session('12a4'), 'sessions_code_check', 'A code has no letters.');
select is(pg_temp.session(E'123\n'), 'sessions_code_check', 'A line break is no digit.');
select is(pg_temp.session('١٢٣٤'), 'sessions_code_check', 'Digits are 0 to 9.');
select is(pg_temp.session('0000'), null, 'Any four digits are a code.');
select throws_ok(
  $$ insert into public.sessions (code) values ('12345') $$, '22001', null, 'A code has no more than four digits.'
);
select throws_ok(
  $$ insert into public.sessions (code) values (null) $$, '23502', null, 'A session has a code.'
);
select is(
  pg_temp.refused_by($$
    update public.sessions set user_count = -1 where id = '00000000-0000-4000-8000-000000000001'
  $$),
  'sessions_user_count_check',
  'Nobody is fewer than nobody.'
);
select is(
  pg_temp.refused_by($$
    update public.sessions set expires_at = 'infinity' where id = '00000000-0000-4000-8000-000000000001'
  $$),
  'sessions_expires_at_check',
  'No session is for ever.'
);
select is(
  pg_temp.refused_by($$
    update public.sessions set expires_at = '-infinity' where id = '00000000-0000-4000-8000-000000000001'
  $$),
  'sessions_expires_at_check',
  'No session ended before all time.'
);
select is(
  pg_temp.refused_by($$
    insert into public.sessions (code)
    select code from public.sessions where id = '00000000-0000-4000-8000-000000000001'
  $$),
  'idx_sessions_code', 'Two active sessions cannot share a code.'
);
select is(
  pg_temp.refused_by($$
    insert into public.sessions (code, is_active)
    select code, false from public.sessions where id = '00000000-0000-4000-8000-000000000001'
  $$),
  null, 'A closed one may have the code of an active one.'
);

-- Participants
create function pg_temp.participant(lang text) returns text language sql as $$
  select pg_temp.refused_by(format(
    'insert into public.session_participants (session_id, user_id, lang) values (%L, gen_random_uuid(), %L)',
    '00000000-0000-4000-8000-000000000001', lang
  ))
$$;
select is(pg_temp.participant('e'), 'session_participants_lang_check', 'One letter is no language.');
select is(pg_temp.participant('engl'), 'session_participants_lang_check', 'Nor are four.');
select is(pg_temp.participant('en_GB'), 'session_participants_lang_check', 'The parts of a tag are joined by a hyphen.');
select is(pg_temp.participant('en-'), 'session_participants_lang_check', 'After the hyphen comes something.');
select is(pg_temp.participant(''), 'session_participants_lang_check', 'An empty language is not the same as none.');
select is(pg_temp.participant('zh-Hant-TW'), null, 'A tag has several parts.');
select is(pg_temp.participant(null), null, 'A participant may have no language.');
select is(
  pg_temp.refused_by($$
    update public.session_participants set joined_at = '-infinity' where user_id = '00000000-0000-4000-8000-00000000000a'
  $$),
  'session_participants_joined_at_check', 'Nobody joined before all time.'
);
select is(
  pg_temp.refused_by($$
    update public.session_participants set last_seen = 'infinity' where user_id = '00000000-0000-4000-8000-00000000000a'
  $$),
  'session_participants_last_seen_check', 'Nobody is seen for ever.'
);
select is(
  pg_temp.refused_by($$
    update public.session_participants set left_at = 'infinity' where user_id = '00000000-0000-4000-8000-00000000000a'
  $$),
  'session_participants_left_at_check', 'Nobody leaves at the end of time.'
);
select is(
  pg_temp.refused_by($$
    insert into public.session_participants (session_id, user_id)
    values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a')
  $$),
  'session_participants_pkey', 'A user takes part once.'
);

-- Messages
create function pg_temp.message(
  original text default 'Hello', translation text default null, original_lang text default 'en',
  target_lang text default 'es', status text default 'queued', error text default null, metrics text default null
) returns text language sql as $$
  select pg_temp.refused_by(format(
    'insert into public.messages
     (session_id, user_id, original, translation, original_lang, target_lang, status, error, performance_metrics)
     values (%L, gen_random_uuid(), %L, %L, %L, %L, %L, %L, %L)',
    '00000000-0000-4000-8000-000000000001', original, translation, original_lang, target_lang, status, error, metrics
  ))
$$;
select is(pg_temp.message(original => ''), 'messages_original_check', 'Nothing was said: no message.');
select is(pg_temp.message(original => E' \t\n'), 'messages_original_check', 'Blanks say nothing either.');
select is(pg_temp.message(original => repeat('é', 10001)), 'messages_original_check', 'A text ends at 10,000 characters.');
select is(pg_temp.message(original => repeat('é', 10000)), null, 'Characters count, not bytes.');
select throws_ok(
  $$ insert into public.messages (session_id, user_id, original_lang, target_lang)
     values ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), 'en', 'es') $$,
  '23502', null, 'A message has a text.'
);
select is(pg_temp.message(translation => ''), 'messages_translation_check', 'An empty translation is none.');
select is(pg_temp.message(translation => E'\n'), 'messages_translation_check', 'A blank one is none either.');
select is(
  pg_temp.message(translation => repeat('é', 40001)), 'messages_translation_check',
  'A translation ends at 40,000 characters.'
);
select is(pg_temp.message(translation => repeat('é', 40000)), null, 'A translation may be four times as long as a text.');
select is(pg_temp.message(original_lang => 'english'), 'messages_original_lang_check', 'A text is in a language.');
select is(pg_temp.message(target_lang => 'español'), 'messages_target_lang_check', 'A translation is in a language.');
select is(pg_temp.message(original_lang => 'yue', target_lang => 'pt-BR'), null, 'Two or three letters, and a region.');
select is(pg_temp.message(status => 'done'), 'messages_status_check', 'No status but the four.');
select is(pg_temp.message(status => 'Queued'), 'messages_status_check', 'In lower case.');
select is(
  pg_temp.message(status => 'failed', error => repeat('é', 1001)), 'messages_error_check',
  'A reason ends at 1,000 characters.'
);
select is(pg_temp.message(status => 'failed', error => repeat('é', 1000)), null, 'Characters count here too.');
select is(
  pg_temp.message(metrics => to_jsonb(repeat('x', 3999))::text), 'messages_performance_metrics_check',
  'Metrics end at 4,000 bytes.'
);
select is(pg_temp.message(metrics => to_jsonb(repeat('x', 3998))::text), null, 'Quotes included.');

-- Activity
create function pg_temp.activity(activity_type text) returns text language sql as $$
  select pg_temp.refused_by(format(
    'insert into public.user_activity (session_id, user_id, activity_type) values (%L, gen_random_uuid(), %L)',
    '00000000-0000-4000-8000-000000000001', activity_type
  ))
$$;
select is(pg_temp.activity('sleeping'), 'user_activity_activity_type_check', 'No activity but the four.');
select is(pg_temp.activity(''), 'user_activity_activity_type_check', 'An empty one is none.');
select is(pg_temp.activity('recording'), null, 'Recording is one.');
select is(
  pg_temp.refused_by($$
    insert into public.user_activity (session_id, user_id, activity_type)
    select '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'typing'
    from generate_series(1, 2)
  $$),
  'user_activity_session_id_user_id_key', 'Nobody does two things at a time.'
);

-- Settings
create function pg_temp.setting(assignment text) returns text language sql as $$
  select pg_temp.refused_by('update private.settings set ' || assignment)
$$;
select is(
  pg_temp.setting($$ session_retention = '-1 second' $$), 'settings_session_retention_check',
  'Sessions are not deleted before they end.'
);
select is(pg_temp.setting('session_retention = null'), null, 'They may be kept for ever.');
select is(
  pg_temp.setting($$ participant_timeout = '59 seconds' $$), 'settings_participant_timeout_check',
  'A client that says so every 30 seconds is there.'
);
select is(pg_temp.setting($$ participant_timeout = '1 minute' $$), null, 'A minute is enough.');
select is(pg_temp.setting('max_failures = 0'), 'settings_max_failures_check', 'Everything is tried once.');
select is(pg_temp.setting('max_claims = 0'), 'settings_max_claims_check', 'Everything can be claimed once.');
select is(pg_temp.setting($$ retry_delay = '0' $$), 'settings_retry_delay_check', 'After a failure there is a pause.');
select is(
  pg_temp.refused_by('insert into private.settings default values'), 'settings_pkey', 'There is one row of settings.'
);
select is(
  pg_temp.refused_by('insert into private.settings (is_only_row) values (false)'), 'settings_is_only_row_check',
  'And no way around that.'
);

-- The queue, and what belongs to a session
create function pg_temp.job(worker text) returns text language sql as $$
  select pg_temp.refused_by(format(
    'insert into private.translation_jobs (message_id, worker, token)
     select id, %L, gen_random_uuid() from public.messages
     where session_id = ''00000000-0000-4000-8000-000000000001'' limit 1', worker
  ))
$$;
select is(pg_temp.job(''), 'translation_jobs_worker_check', 'A worker has a name.');
select is(pg_temp.job(repeat('w', 201)), 'translation_jobs_worker_check', 'Its name ends at 200 characters.');
select is(pg_temp.job(repeat('w', 200)), null, 'It may be that long.');

select * from finish();
rollback;
