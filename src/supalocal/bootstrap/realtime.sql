-- What Realtime needs in the database. Runs as the superuser that Realtime logs in as; may run again.

create schema if not exists realtime;

-- The stream reads a mirror of the publication: the same tables and actions, but without column lists and row filters,
-- because the real server's log reader knows neither. A mirror also carries stored generated columns (Postgres 18).
create or replace function realtime.mirror_publication(source text) returns void
language plpgsql
security definer -- whoever alters the publication need not own its mirror
set search_path = pg_catalog
set supalocal.mirroring = 'on' -- altering the mirror fires the event trigger too
as $$
declare
  mirror constant text := 'supalocal_' || source;
  original pg_publication;
  actions text;
  statement text;
begin
  if not exists (select from pg_publication where pubname = mirror) then
    execute format('create publication %I', mirror);
    if current_setting('server_version_num')::int >= 180000 then
      execute format('alter publication %I set (publish_generated_columns = stored)', mirror);
    end if;
  end if;

  select * into original from pg_publication where pubname = source;
  actions := concat_ws(', ',
    case when original.pubinsert then 'insert' end,
    case when original.pubupdate then 'update' end,
    case when original.pubdelete then 'delete' end);
  if actions is distinct from (
    select concat_ws(', ',
      case when pubinsert then 'insert' end, case when pubupdate then 'update' end, case when pubdelete then 'delete' end)
    from pg_publication where pubname = mirror
  ) or exists (select from pg_publication where pubname = mirror and pubtruncate) then
    execute format('alter publication %I set (publish = %L)', mirror, actions);
  end if;

  for statement in
    with wanted as (
      select relid from pg_get_publication_tables(source) where original.oid is not null
    ), present as (
      select prrelid as relid from pg_publication_rel join pg_publication p on p.oid = prpubid where p.pubname = mirror
    )
    select format('alter publication %I add table %s', mirror, relid::regclass)
      from wanted where relid not in (select relid from present)
    union all
    select format('alter publication %I drop table %s', mirror, relid::regclass)
      from present where relid not in (select relid from wanted)
  loop
    execute statement;
  end loop;
end
$$;

comment on function realtime.mirror_publication(text) is
  'Makes publication supalocal_<source> publish the tables and actions of <source>, without column lists and row filters.';

create or replace function realtime.mirror_publications() returns event_trigger
language plpgsql
security definer -- as above
set search_path = pg_catalog
as $$
begin
  if current_setting('supalocal.mirroring', true) = 'on' then
    return;
  end if;
  perform realtime.mirror_publication(substr(pubname, length('supalocal_') + 1))
    from pg_publication where pubname like 'supalocal\_%';
end
$$;

comment on function realtime.mirror_publications() is 'Keeps every mirror in step, in the transaction that changes its source.';

do $$ begin
  if exists (select from pg_event_trigger where evtname = 'supalocal_mirror_publications') then
    drop event trigger supalocal_mirror_publications;
  end if;
end $$;
create event trigger supalocal_mirror_publications on ddl_command_end
  when tag in ('CREATE PUBLICATION', 'ALTER PUBLICATION', 'DROP PUBLICATION', 'CREATE TABLE', 'CREATE TABLE AS',
               'SELECT INTO', 'ALTER TABLE')
  execute function realtime.mirror_publications();

-- Roles and claims change inside one statement, so the role check costs no round trip per subscriber. The identities come
-- sorted by role: a change of role makes the prepared statement plan its policies anew.
create or replace function realtime.visible_rows(statement text, keys jsonb, identities jsonb) returns jsonb
language plpgsql
as $$
declare
  identity jsonb;
  seen jsonb;
  result jsonb := '[]';
begin
  for identity in select value from pg_catalog.jsonb_array_elements(identities) loop
    perform pg_catalog.set_config('role', identity ->> 0, true),
            pg_catalog.set_config('request.jwt.claims', identity ->> 1, true);
    execute pg_catalog.format('execute %I(%L)', statement, keys) into seen;
    result := result || pg_catalog.jsonb_build_array(seen);
  end loop;
  perform pg_catalog.set_config('role', 'none', true);
  return result;
end
$$;

comment on function realtime.visible_rows(text, jsonb, jsonb) is
  'For each identity [role, claims], in order: the numbers of the keys that the prepared statement finds as that identity.';

revoke all on function realtime.mirror_publication(text), realtime.visible_rows(text, jsonb, jsonb) from public;

create or replace function realtime.topic() returns text
language sql stable
as $$ select nullif(current_setting('realtime.topic', true), '') $$;

comment on function realtime.topic() is 'The channel whose policies are being tested.';

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql
as $$
begin
  raise exception 'realtime.send is not supported by supalocal yet' using errcode = 'feature_not_supported';
end
$$;

comment on function realtime.send(jsonb, text, text, boolean) is 'Not supported by supalocal yet: raises 0A000.';

create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text, new record, old record,
  level text default 'ROW'
) returns void
language plpgsql
as $$
begin
  raise exception 'realtime.broadcast_changes is not supported by supalocal yet' using errcode = 'feature_not_supported';
end
$$;

comment on function realtime.broadcast_changes(text, text, text, text, text, record, record, text) is
  'Not supported by supalocal yet: raises 0A000.';
