-- Whoever opens the database finds in it what each thing is for.
begin;
create extension if not exists pgtap with schema extensions;
select plan(5);

select is_empty(
  $$ select c.oid::regclass from pg_catalog.pg_class c
     where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
       and c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null $$,
  'Every table and view has a comment.'
);
select is_empty(
  $$ select p.oid::regprocedure from pg_catalog.pg_proc p
     where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
       and obj_description(p.oid, 'pg_proc') is null $$,
  'Every function has a comment.'
);
select isnt(obj_description('private'::regnamespace, 'pg_namespace'), null, 'The schema private has a comment.');
select is_empty(
  $$ select a.attname from pg_catalog.pg_attribute a
     where a.attrelid = 'private.settings'::regclass and a.attnum > 0 and a.attname <> 'is_only_row'
       and col_description(a.attrelid, a.attnum) is null $$,
  'Every setting says what it does.'
);
select is_empty(
  $$ select wanted.name from (values
       ('public.sessions'::regclass, 'code'), ('public.sessions', 'expires_at'), ('public.sessions', 'user_count'),
       ('public.session_participants', 'lang'), ('public.session_participants', 'is_away'),
       ('public.messages', 'status'), ('public.messages', 'error'), ('public.messages', 'seq'),
       ('public.messages', 'rev'), ('private.translation_jobs', 'token'), ('private.translation_jobs', 'leased_until')
     ) as wanted (relation, name)
     join pg_catalog.pg_attribute a on a.attrelid = wanted.relation and a.attname = wanted.name
     where col_description(a.attrelid, a.attnum) is null $$,
  'Every column whose name does not say enough has a comment.'
);

select * from finish();
rollback;
