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
    select format('alter publication %I add table only %s', mirror, relid::regclass)
      from wanted where relid not in (select relid from present)
    union all
    select format('alter publication %I drop table only %s', mirror, relid::regclass)
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

-- A commit reaches the log before other sessions see it. `xids` are the low 32 bits that the stream knows.
create or replace function realtime.await_visible(xids jsonb) returns void
language plpgsql
as $$
declare
  current bigint;
begin
  loop
    current := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    exit when not exists (
      select from jsonb_array_elements_text(xids) as low
      where not pg_visible_in_snapshot(
        (current + ((low::bigint - (current & 4294967295) + 2147483648) & 4294967295) - 2147483648)::text::xid8,
        pg_current_snapshot()));
    perform pg_sleep(0.0005);
  end loop;
end
$$;

comment on function realtime.await_visible(jsonb) is 'Returns once everybody sees what these transactions committed.';

revoke all on function realtime.mirror_publication(text), realtime.await_visible(jsonb) from public;
