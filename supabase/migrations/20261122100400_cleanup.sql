-- Clean-up by pg_cron. It only tidies: every path checks expires_at by itself.

create function public.cleanup_expired_sessions() returns void
language sql volatile security invoker set search_path = '' as $$
  update public.sessions set is_active = false where expires_at < now() and is_active;
$$;
comment on function public.cleanup_expired_sessions() is 'Closes sessions whose time is over. Run every hour by pg_cron.';

revoke all on function public.cleanup_expired_sessions() from public, anon, authenticated;
grant execute on function public.cleanup_expired_sessions() to service_role;

do $$
begin
  if exists (select from pg_catalog.pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
    perform cron.schedule('cleanup-expired-sessions', '0 * * * *', 'select public.cleanup_expired_sessions();');
  else
    raise notice 'pg_cron is not available here: expired sessions are refused all the same, but nothing closes them by the hour';
  end if;
exception
  -- Installed on the machine, but not loaded by this server or for this database.
  when internal_error or raise_exception or insufficient_privilege or object_not_in_prerequisite_state then
    raise notice 'pg_cron cannot be used here (%): nothing closes expired sessions by the hour', sqlerrm;
end;
$$;
