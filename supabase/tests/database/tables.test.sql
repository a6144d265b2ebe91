-- The tables: their columns, types, what may be null, and defaults.
begin;
create extension if not exists pgtap with schema extensions;
select plan(12);

create function pg_temp.columns(relation regclass)
returns table (name name, type text, nullable boolean, default_value text)
language sql as $$
  select a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
  from pg_catalog.pg_attribute a
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
  order by a.attnum
$$;

select tables_are(
  'public', array['sessions', 'session_participants', 'messages', 'user_activity'],
  'The API exposes four tables and no other.'
);
select tables_are(
  'private', array['settings', 'session_revisions', 'translation_jobs'],
  'Three tables are out of its reach.'
);
select views_are('public', array[]::name[], 'The API exposes no view.');
select views_are('private', array[]::name[], 'Nor is there one behind it.');

select results_eq(
  $$ select * from pg_temp.columns('public.sessions') $$,
  $$ values
    ('id'::name, 'uuid', false, 'gen_random_uuid()'),
    ('code', 'character varying(4)', false, null),
    ('created_at', 'timestamp with time zone', false, 'now()'),
    ('expires_at', 'timestamp with time zone', false, '(now() + ''04:00:00''::interval)'),
    ('is_active', 'boolean', false, 'true'),
    ('user_count', 'integer', false, '0'),
    ('last_activity', 'timestamp with time zone', false, 'now()')
  $$,
  'sessions: live for four hours, with nobody in it.'
);
select results_eq(
  $$ select * from pg_temp.columns('public.session_participants') $$,
  $$ values
    ('session_id'::name, 'uuid', false, null),
    ('user_id', 'uuid', false, null),
    ('lang', 'character varying(10)', true, null),
    ('joined_at', 'timestamp with time zone', false, 'now()'),
    ('last_seen', 'timestamp with time zone', false, 'now()'),
    ('left_at', 'timestamp with time zone', true, null),
    ('is_away', 'boolean', false, 'false')
  $$,
  'session_participants: only the language and the end may be missing.'
);
select results_eq(
  $$ select * from pg_temp.columns('public.messages') $$,
  $$ values
    ('id'::name, 'uuid', false, 'gen_random_uuid()'),
    ('session_id', 'uuid', false, null),
    ('user_id', 'uuid', false, null),
    ('original', 'text', false, null),
    ('translation', 'text', true, null),
    ('original_lang', 'character varying(10)', false, null),
    ('target_lang', 'character varying(10)', false, null),
    ('status', 'character varying(20)', false, '''queued''::character varying'),
    ('queued_at', 'timestamp with time zone', false, 'now()'),
    ('processed_at', 'timestamp with time zone', true, null),
    ('displayed_at', 'timestamp with time zone', true, null),
    ('error', 'text', true, null),
    ('performance_metrics', 'jsonb', true, null),
    ('timestamp', 'timestamp with time zone', false, 'now()'),
    ('created_at', 'timestamp with time zone', false, 'now()'),
    ('seq', 'bigint', false, null),
    ('rev', 'bigint', false, null)
  $$,
  'messages: queued when new; translation, its stamps, metrics and error come later or never.'
);
select results_eq(
  $$ select * from pg_temp.columns('public.user_activity') $$,
  $$ values
    ('id'::name, 'uuid', false, 'gen_random_uuid()'),
    ('session_id', 'uuid', false, null),
    ('user_id', 'uuid', false, null),
    ('activity_type', 'character varying(20)', false, null),
    ('started_at', 'timestamp with time zone', false, 'now()'),
    ('updated_at', 'timestamp with time zone', false, 'now()')
  $$,
  'user_activity: nothing may be missing.'
);
select results_eq(
  $$ select * from pg_temp.columns('private.settings') $$,
  $$ values
    ('is_only_row'::name, 'boolean', false, 'true'),
    ('session_retention', 'interval', true, '''30 days''::interval'),
    ('participant_timeout', 'interval', false, '''00:02:00''::interval'),
    ('max_failures', 'integer', false, '5'),
    ('max_claims', 'integer', false, '20'),
    ('retry_delay', 'interval', false, '''00:00:02''::interval')
  $$,
  'settings: only the retention may be null, for ever.'
);
select isnt_empty('select from private.settings', 'The settings are there from the start.');
select results_eq(
  $$ select * from pg_temp.columns('private.session_revisions') $$,
  $$ values ('session_id'::name, 'uuid', false, null), ('rev', 'bigint', false, '0') $$,
  'session_revisions: one counter a session, from 0.'
);
select results_eq(
  $$ select * from pg_temp.columns('private.translation_jobs') $$,
  $$ values
    ('message_id'::name, 'uuid', false, null),
    ('worker', 'text', false, null),
    ('token', 'uuid', false, null),
    ('leased_until', 'timestamp with time zone', true, null),
    ('next_attempt_at', 'timestamp with time zone', false, 'now()'),
    ('claims', 'integer', false, '1'),
    ('failures', 'integer', false, '0'),
    ('last_error', 'text', true, null)
  $$,
  'translation_jobs: without a lease and without an error when there is none.'
);

select * from finish();
rollback;
