-- The messages that the database broadcasts, and what their policies allow: they authorise private channels.
-- Runs as the superuser that Realtime logs in as; may run again.

do $$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'supabase_realtime_admin') then
    create role supabase_realtime_admin nologin noinherit;
  end if;
end $$;
-- On hosted an extension of the server lets postgres make policies on what supabase_realtime_admin owns; here its
-- membership does.
grant supabase_realtime_admin to postgres;
grant usage on schema realtime to supabase_realtime_admin;

create table if not exists realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default timezone('utc', now()),
  inserted_at timestamp not null default timezone('utc', now()),
  id uuid not null default gen_random_uuid(),
  binary_payload bytea,
  skip_broadcast boolean not null default false,
  constraint messages_payload_exclusive check (payload is null or binary_payload is null),
  primary key (id, inserted_at)
) partition by range (inserted_at);

comment on table realtime.messages is
  'What realtime.send broadcasts, for three days. Policies on it say who may use which private channel: select to '
  'receive, insert to send; extension is broadcast or presence, realtime.topic() the channel.';

create index if not exists messages_inserted_at_topic_index on realtime.messages (inserted_at desc, topic)
  where extension = 'broadcast' and private is true;

alter table realtime.messages enable row level security;
alter table realtime.messages owner to supabase_realtime_admin;
grant insert, select, update on realtime.messages to anon, authenticated, service_role;
grant all on realtime.messages to postgres;

do $$ begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime_messages_publication') then
    create publication supabase_realtime_messages_publication for table realtime.messages;
  end if;
end $$;

create or replace function realtime.renew_message_partitions() returns void
language plpgsql
set search_path = pg_catalog
set lock_timeout = '1s' -- whoever waits for the table holds up all who send
set supalocal.mirroring = 'on' -- partitions are in no publication that is mirrored
as $$
declare
  today constant date := timezone('utc', now())::date;
  day date;
  expired text;
begin
  for day in select generate_series(today - 1, today + 3, '1 day')::date loop
    if to_regclass(format('realtime.%I', 'messages_' || to_char(day, 'YYYY_MM_DD'))) is null then
      execute format('create table realtime.%I partition of realtime.messages for values from (%L) to (%L)',
        'messages_' || to_char(day, 'YYYY_MM_DD'), day, day + 1);
    end if;
  end loop;

  for expired in
    select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'realtime.messages'::regclass and relname < 'messages_' || to_char(today - 3, 'YYYY_MM_DD')
  loop
    execute format('drop table realtime.%I', expired);
  end loop;
exception when lock_not_available then
  raise warning 'realtime.messages is in use: its partitions are renewed later';
end
$$;

comment on function realtime.renew_message_partitions() is
  'Makes the daily partitions of realtime.messages that are due, and drops those older than three days.';

select realtime.renew_message_partitions();

create or replace function realtime.topic() returns text
language sql stable
as $$ select nullif(current_setting('realtime.topic', true), '') $$;

comment on function realtime.topic() is 'The channel whose policies are being tested.';

create or replace function realtime.act_as(role_name text, claims text, headers text, channel text) returns void
language sql
as $$
  select
    set_config('realtime.topic', channel, true),
    set_config('request.jwt.claims', claims, true),
    set_config('request.jwt.claim.sub', coalesce(claims::jsonb ->> 'sub', ''), true),
    set_config('request.jwt.claim.role', role_name, true),
    set_config('request.headers', headers, true),
    set_config('role', role_name, true)
$$;

comment on function realtime.act_as(text, text, text, text) is
  'Lets the rest of the transaction run as a client of a channel.';

-- Both tests leave nothing behind: an exception of their own (SRB01) rolls back what they did, role and settings too.

create or replace function realtime.readable(
  role_name text, claims text, headers text, channel text, extensions text[]
) returns text[]
language plpgsql
as $$
declare
  probes uuid[];
  found text[];
begin
  begin
    with probe as (
      insert into realtime.messages (topic, extension) select channel, unnest(extensions) returning id
    )
    select array_agg(id) into probes from probe;
    perform realtime.act_as(role_name, claims, headers, channel);
    select coalesce(array_agg(m.extension), '{}') into found
      from realtime.messages m where m.topic = channel and m.id = any(probes);
    raise exception using errcode = 'SRB01';
  exception when sqlstate 'SRB01' then
    return found;
  end;
end
$$;

comment on function realtime.readable(text, text, text, text, text[]) is
  'Which of the extensions (broadcast, presence) the policies let this client receive on the channel.';

create or replace function realtime.writable(
  role_name text, claims text, headers text, channel text, extension text
) returns boolean
language plpgsql
as $$
begin
  perform realtime.act_as(role_name, claims, headers, channel);
  insert into realtime.messages (topic, extension) values (channel, extension);
  raise exception using errcode = 'SRB01';
exception
  when sqlstate 'SRB01' then
    return true;
  when insufficient_privilege then
    return false;
end
$$;

comment on function realtime.writable(text, text, text, text, text) is
  'Whether the policies let this client send with the extension (broadcast, presence) on the channel.';

revoke all on function
  realtime.renew_message_partitions(),
  realtime.act_as(text, text, text, text),
  realtime.readable(text, text, text, text, text[]),
  realtime.writable(text, text, text, text, text)
from public;

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql
as $$
declare
  message_id constant uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, payload, event, topic, private, extension)
  values (
    message_id,
    case when payload ? 'id' then payload else jsonb_set(payload, '{id}', to_jsonb(message_id)) end,
    event, topic, private, 'broadcast');
exception when others then
  raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

comment on function realtime.send(jsonb, text, text, boolean) is
  'Broadcasts a payload to a channel after the commit; what fails only warns.';

create or replace function realtime.send_binary(payload bytea, event text, topic text, private boolean default true)
returns void
language plpgsql
as $$
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (binary_payload, event, topic, private, extension)
  values (payload, event, topic, private, 'broadcast');
exception when others then
  raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

comment on function realtime.send_binary(bytea, text, text, boolean) is
  'Broadcasts bytes to a channel after the commit; what fails only warns.';

create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text, new record, old record,
  level text default 'ROW'
) returns void
language plpgsql
as $$
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  end if;
  if operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'Unexpected operation type: %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'old_record', old, 'record', new, 'operation', operation, 'table', table_name, 'schema', table_schema),
    event_name, topic_name);
exception when others then
  raise exception 'Failed to process the row: %', sqlerrm;
end
$$;

comment on function realtime.broadcast_changes(text, text, text, text, text, record, record, text) is
  'Broadcasts a trigger''s row change to a private channel.';
