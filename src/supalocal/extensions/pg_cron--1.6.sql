-- pg_cron's tables and functions by their own names, columns, messages and rules. The jobs are run by the stack.

create schema cron;
create sequence cron.jobid_seq;
create sequence cron.runid_seq;

create table cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport integer not null default current_setting('port')::integer,
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);
comment on table cron.job is 'The jobs, one row each; everybody sees their own.';
alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);

create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);
comment on table cron.job_run_details is
  'How each run of a job went; everybody sees those of their own jobs. Nothing deletes them.';
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);

-- The functions below run as their caller, who may not write to cron.job. A view passes its owner's rights on, and still
-- knows who is asking.
create view cron.owned_job as
select * from cron.job
where username = current_user or (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user)
with check option;
comment on view cron.owned_job is 'The jobs that the caller may write: their own, and for a superuser all.';

create function cron.number_job() returns trigger
language plpgsql
security definer -- the caller may not draw from the sequence
set search_path = '' as $$
begin
  new.jobid := coalesce(new.jobid, nextval('cron.jobid_seq'));
  return new;
end
$$;
comment on function cron.number_job() is 'Gives a new job its id.';
create trigger cron_number_job before insert on cron.job for each row execute function cron.number_job();

create function cron.job_cache_invalidate() returns trigger
language plpgsql set search_path = '' as $$
begin
  notify supalocal_cron;
  return null;
end
$$;
comment on function cron.job_cache_invalidate() is 'invalidate job cache';
create trigger cron_job_cache_invalidate after insert or update or delete or truncate on cron.job
for each statement execute function cron.job_cache_invalidate();

-- Vixie cron's grammar, `$` for the last day of the month, and seconds. What follows the fifth field is ignored, as by
-- pg_cron, but not the junk that it lets pass behind a field's last number.
create function cron.is_schedule(schedule text) returns boolean
language sql immutable strict parallel safe set search_path = '' as $$
  with given as (
    select regexp_split_to_array(btrim(schedule, E' \t\n'), '[ \t\n]+') as fields
  ), bounds (field, low, high, names) as (
    values
      (1, 0, 59, '{}'::text[]),
      (2, 0, 23, '{}'),
      (3, 1, 31, '{}'),
      (4, 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}'),
      (5, 0, 7, '{sun,mon,tue,wed,thu,fri,sat}')
  ), terms as (
    select
      b.low, b.high, b.names, b.field = 3 and g.fields[3] = '$' as is_last_day,
      regexp_match(lower(term), '^(?:\*|(\d{1,9}|[a-z]+)(?:-(\d{1,9}|[a-z]+))?)(?:/(\d{1,9}))?$') as part
    from given g, bounds b, string_to_table(g.fields[b.field], ',') as term
  ), numbers as (
    select
      t.is_last_day, t.low, t.high, t.part,
      case when t.part[1] ~ '^\d' then t.part[1]::integer
        else array_position(t.names, t.part[1]) - 1 + t.low end as first,
      case when t.part[2] ~ '^\d' then t.part[2]::integer
        else array_position(t.names, t.part[2]) - 1 + t.low end as last,
      t.part[3]::integer as step
    from terms t
  )
  select
    schedule ~* '^\s*\+?0*([1-9]|[1-5]\d)\s*second(s\s*)?$'
    or fields[1] = any ('{@yearly,@annually,@monthly,@weekly,@daily,@midnight,@hourly,@reboot,@restart}')
    or cardinality(fields) >= 5 and (
      select bool_and(coalesce(
        n.is_last_day
        or coalesce(n.step > 0, true) and (
          n.part is not null and n.part[1] is null
          or n.first between n.low and n.high and n.part[2] is null and n.step is null
          or n.first between n.low and n.high and n.last between n.low and n.high
        ),
        false
      ))
      from numbers n
    )
  from given
$$;
comment on function cron.is_schedule(text) is 'Whether pg_cron takes the text for a schedule.';

create function cron.require_schedule(schedule text) returns void
language plpgsql set search_path = '' as $$
begin
  if not cron.is_schedule(schedule) then
    raise invalid_parameter_value using
      message = format('invalid schedule: %s', schedule),
      hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
end
$$;
comment on function cron.require_schedule(text) is 'Raises pg_cron''s error for what is no schedule.';

create function cron.require_login(login text) returns void
language plpgsql set search_path = '' as $$
declare
  can_login boolean := (select r.rolcanlogin from pg_catalog.pg_roles r where r.rolname = login);
begin
  if can_login is null then
    raise internal_error using message = format('role "%s" does not exist', login);
  elsif not can_login then
    raise internal_error using
      message = format('role "%s" can not log in', login),
      detail = 'Jobs may only be run by roles that have the LOGIN attribute.';
  end if;
end
$$;
comment on function cron.require_login(text) is 'Raises pg_cron''s errors for a role that cannot own a job.';

create function cron.require_connect(login text, db text) returns void
language plpgsql set search_path = '' as $$
begin
  if not has_database_privilege(login, db, 'connect') then
    raise internal_error using message = format('User %s does not have CONNECT privilege on %s', login, db);
  end if;
end
$$;
comment on function cron.require_connect(text, text) is
  'Raises pg_cron''s error for a role that may not connect to the database.';

create function cron.is_superuser() returns boolean
language sql stable set search_path = '' as $$
  select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user
$$;
comment on function cron.is_superuser() is 'Whether the caller is one.';

create function cron.put_job(
  name text, plan text, statement text, db text, owner text, enabled boolean
) returns bigint
language plpgsql set search_path = '' as $$
declare
  id bigint;
begin
  perform cron.require_schedule(plan);
  if owner is not null then
    if not cron.is_superuser() then
      raise internal_error using message = 'must be superuser to create a job for another role';
    end if;
    perform cron.require_login(owner);
  end if;
  perform cron.require_connect(coalesce(owner, current_user), db);
  insert into cron.owned_job (jobid, schedule, command, database, username, active, jobname)
  values (null, plan, statement, db, coalesce(owner, current_user), enabled, name)
  on conflict (jobname, username) do update set
    schedule = excluded.schedule, command = excluded.command, database = excluded.database
  returning jobid into id;
  return id;
end
$$;
comment on function cron.put_job(text, text, text, text, text, boolean) is
  'Schedules a job; one of the same name and owner is changed, and stays as active as it was.';

create function cron.schedule(schedule text, command text) returns bigint
language sql strict set search_path = '' as $$
  select cron.put_job(null, schedule, command, current_database(), null, true)
$$;
comment on function cron.schedule(text, text) is 'schedule a pg_cron job';

create function cron.schedule_in_database(
  job_name text, schedule text, command text, database text, username text default null, active boolean default true
) returns bigint
language plpgsql set search_path = '' as $$
begin
  if job_name is null then
    raise internal_error using message = 'job_name can not be NULL';
  elsif schedule is null then
    raise internal_error using message = 'schedule can not be NULL';
  elsif command is null then
    raise internal_error using message = 'command can not be NULL';
  end if;
  return cron.put_job(
    job_name, schedule, command, coalesce(database, current_database()), username, coalesce(active, true)
  );
end
$$;
comment on function cron.schedule_in_database(text, text, text, text, text, boolean) is 'schedule a pg_cron job';

create function cron.schedule(job_name text, schedule text, command text) returns bigint
language plpgsql set search_path = '' as $$
begin
  if job_name is null then
    raise internal_error using message = 'job_name can not be NULL';
  elsif schedule is null then
    raise internal_error using message = 'schedule can not be NULL';
  elsif command is null then
    raise internal_error using message = 'command can not be NULL';
  end if;
  return cron.put_job(job_name, schedule, command, current_database(), null, true);
end
$$;
comment on function cron.schedule(text, text, text) is 'schedule a pg_cron job';

create function cron.alter_job(
  job_id bigint, schedule text default null, command text default null, database text default null,
  username text default null, active boolean default null
) returns void
language plpgsql set search_path = '' as $$
begin
  if job_id is null then
    raise internal_error using message = 'job_id can not be NULL';
  end if;
  if username is not null then
    if not cron.is_superuser() then
      raise internal_error using message = 'must be superuser to alter username';
    end if;
    perform cron.require_login(username);
  end if;
  if database is not null then
    perform cron.require_connect(coalesce(username, current_user), database);
  end if;
  perform cron.require_schedule(schedule) where schedule is not null;
  if num_nonnulls(schedule, command, database, username, active) = 0 then
    raise internal_error using
      message = 'no updates specified',
      hint = 'You must specify at least one job attribute to change when calling alter_job';
  end if;
  update cron.owned_job as job set
    schedule = coalesce(alter_job.schedule, job.schedule),
    command = coalesce(alter_job.command, job.command),
    database = coalesce(alter_job.database, job.database),
    username = coalesce(alter_job.username, job.username),
    active = coalesce(alter_job.active, job.active)
  where job.jobid = job_id;
  if not found then
    raise internal_error using message = format('Job %s does not exist or you don''t own it', job_id);
  end if;
end
$$;
comment on function cron.alter_job(bigint, text, text, text, text, boolean) is
  'Alter the job identified by job_id. Any option left as NULL will not be modified.';

create function cron.unschedule(job_id bigint) returns boolean
language plpgsql strict set search_path = '' as $$
begin
  delete from cron.owned_job job where job.jobid = job_id;
  if not found then
    -- Somebody else's: for who may delete from the table itself; others are told that they may not.
    if exists (select from cron.job job where job.jobid = job_id) then
      delete from cron.job job where job.jobid = job_id;
    else
      raise internal_error using message = format('could not find valid entry for job %s', job_id);
    end if;
  end if;
  return true;
end
$$;
comment on function cron.unschedule(bigint) is 'unschedule a pg_cron job';

create function cron.unschedule(job_name text) returns boolean
language plpgsql strict set search_path = '' as $$
begin
  delete from cron.owned_job job where job.jobname = job_name and job.username = current_user;
  if not found then
    raise internal_error using message = format('could not find valid entry for job ''%s''', job_name);
  end if;
  return true;
end
$$;
comment on function cron.unschedule(text) is 'unschedule a pg_cron job';

grant select on cron.job to public;
grant select, insert, update, delete on cron.owned_job to public;
grant select, delete on cron.job_run_details to public;
grant select on sequence cron.jobid_seq, cron.runid_seq to public;
revoke all on function cron.alter_job(bigint, text, text, text, text, boolean) from public;
revoke all on function cron.schedule_in_database(text, text, text, text, text, boolean) from public;

-- What a hosted project's postgres is given.
grant usage on schema cron to postgres with grant option;
grant all on all functions in schema cron to postgres with grant option;
grant all on cron.job_run_details to postgres with grant option;
grant select on cron.job to postgres with grant option;

select pg_catalog.pg_extension_config_dump('cron.job', '');
select pg_catalog.pg_extension_config_dump('cron.jobid_seq', '');
select pg_catalog.pg_extension_config_dump('cron.job_run_details', '');
select pg_catalog.pg_extension_config_dump('cron.runid_seq', '');
