-- The indexes: each that a statement needs, and none besides.
begin;
create extension if not exists pgtap with schema extensions;
select plan(16);

create function pg_temp.index(named text) returns text language sql as $$
  select split_part(indexdef, ' ON ', 2) from pg_catalog.pg_indexes
  where schemaname in ('public', 'private') and indexname = named
$$;

select indexes_are('public', 'sessions', array[
  'sessions_pkey', 'idx_sessions_code', 'idx_sessions_expires_at', 'idx_sessions_closed_code', 'idx_sessions_ended'
]);
select indexes_are('public', 'session_participants', array['session_participants_pkey', 'idx_participants_last_seen']);
select indexes_are('public', 'messages', array[
  'messages_pkey', 'idx_messages_session_id', 'idx_messages_session_rev', 'idx_messages_status', 'idx_messages_queue',
  'idx_messages_open'
]);
select indexes_are('public', 'user_activity', array[
  'user_activity_pkey', 'user_activity_session_id_user_id_key', 'idx_user_activity_session',
  'idx_user_activity_updated', 'idx_user_activity_idle'
]);
select indexes_are('private', 'translation_jobs', array['translation_jobs_pkey', 'idx_translation_jobs_leased']);

select index_is_unique('public', 'sessions', 'idx_sessions_code', 'Two active sessions never share a code.');
select index_is_unique(
  'public', 'user_activity', 'user_activity_session_id_user_id_key', 'A user does one thing at a time in a session.'
);

select is(
  pg_temp.index('idx_sessions_code'), 'public.sessions USING btree (code) WHERE is_active',
  'A code belongs to a session only while it is active.'
);
select is(
  pg_temp.index('idx_sessions_closed_code'), 'public.sessions USING btree (code) WHERE (NOT is_active)',
  'A code that has been closed is found too.'
);
select is(
  pg_temp.index('idx_messages_session_id'), 'public.messages USING btree (session_id, seq)',
  'A conversation is read by seq.'
);
select is(
  pg_temp.index('idx_messages_session_rev'), 'public.messages USING btree (session_id, rev)',
  'What is missing is fetched by rev.'
);
select is(
  pg_temp.index('idx_messages_open'),
  'public.messages USING btree (queued_at)'
  ' WHERE (((status)::text = ''queued''::text) AND (translation IS NULL))',
  'The queue holds only what is queued and not translated, the oldest first.'
);
select is(
  pg_temp.index('idx_translation_jobs_leased'),
  'private.translation_jobs USING btree (leased_until) WHERE (leased_until IS NOT NULL)',
  'Leases that have run out are found without reading the jobs that hold none.'
);
select is(
  pg_temp.index('idx_participants_last_seen'),
  'public.session_participants USING btree (last_seen)'
  ' WHERE ((left_at IS NULL) AND (NOT is_away) AND (lang IS NOT NULL))',
  'The absent are found without reading those who left.'
);
select is(
  pg_temp.index('idx_user_activity_updated'),
  'public.user_activity USING btree (updated_at) WHERE ((activity_type)::text <> ''idle''::text)',
  'Stale activity is found without reading the idle rows.'
);
select is(
  pg_temp.index('idx_user_activity_idle'),
  'public.user_activity USING btree (updated_at) WHERE ((activity_type)::text = ''idle''::text)',
  'Old idle rows are found too.'
);

select * from finish();
rollback;
