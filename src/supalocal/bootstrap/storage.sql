-- The tables of Supabase Storage and the helpers of its policies, for the migrations that make buckets and policies.
-- Nothing serves them: /storage/v1 is not supported. Shape and names are those of supabase/storage's own migrations.

do $$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'supabase_storage_admin') then
    create role supabase_storage_admin nologin noinherit;
  end if;
end $$;
-- On hosted an extension of the server lets postgres make policies on what supabase_storage_admin owns; here its
-- membership does.
grant supabase_storage_admin to postgres;

create schema if not exists storage authorization supabase_admin;
grant usage on schema storage to supabase_storage_admin, postgres, anon, authenticated, service_role;

create table if not exists storage.buckets (
  id text primary key,
  name text not null unique,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  public boolean default false,
  avif_autodetection boolean default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  owner_id text
);

create table if not exists storage.objects (
  id uuid primary key default gen_random_uuid(),
  bucket_id text references storage.buckets,
  name text,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  version text,
  owner_id text,
  user_metadata jsonb,
  constraint bucketid_objname unique (bucket_id, name)
);

comment on table storage.buckets is 'What a project''s migrations make to keep files in; nothing serves them here.';
comment on table storage.objects is 'The files of the buckets, for policies and foreign keys; none is ever stored here.';

alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
alter table storage.buckets owner to supabase_storage_admin;
alter table storage.objects owner to supabase_storage_admin;

create or replace function storage.foldername(name text) returns text[]
language sql immutable
as $$ select parts[1 : cardinality(parts) - 1] from string_to_array(name, '/') as parts $$;

create or replace function storage.filename(name text) returns text
language sql immutable
as $$ select parts[cardinality(parts)] from string_to_array(name, '/') as parts $$;

create or replace function storage.extension(name text) returns text
language sql immutable
as $$ select reverse(split_part(reverse(storage.filename(name)), '.', 1)) $$;

comment on function storage.foldername(text) is 'The folders of a file''s path, outermost first.';
comment on function storage.filename(text) is 'The last part of a file''s path.';
comment on function storage.extension(text) is 'What follows the last dot of a file''s name.';

grant all on storage.buckets, storage.objects to postgres, anon, authenticated, service_role;
