"""Every state of a message and every claim, as triggers of ours saw them; the tables themselves keep the last one."""

from __future__ import annotations

from uuid import UUID

from tests.stress.checks import expect
from tests.stress.server import Server

# No index and no constraint: the journal must not change who waits for whom.
INSTALL = """
create schema if not exists stress;
create unlogged table if not exists stress.states (
  session_id uuid, seq bigint, rev bigint, id uuid, status text, translation text, noted_at timestamptz
);
create unlogged table if not exists stress.leases (
  session_id uuid, id uuid, claim xid8, claimed_at timestamptz, noted_at timestamptz, leased_until timestamptz
);
create or replace function stress.note() returns trigger language plpgsql security definer as $$
begin
  insert into stress.states
  values (new.session_id, new.seq, new.rev, new.id, new.status, new.translation, clock_timestamp());
  return null;
end;
$$;
create or replace trigger zzz_note after insert or update on public.messages
for each row execute function stress.note();
create or replace function stress.note_lease() returns trigger language plpgsql security definer as $$
begin
  insert into stress.leases
  select m.session_id, m.id, pg_current_xact_id(), now(), clock_timestamp(), new.leased_until
  from public.messages m where m.id = new.message_id;
  return null;
end;
$$;
create or replace trigger zzz_note_lease after insert or update of token on private.translation_jobs
for each row execute function stress.note_lease();
"""
REPEATED = "select session_id, rev from stress.states group by 1, 2 having count(*) > 1"
# The counter is the highest number given: as many states as that means no hole.
HOLES = """
select c.rev - (select count(*) from stress.states s where s.session_id = c.session_id) as holes
from private.session_revisions c where c.session_id = %s
"""
MISPLACED = """
select id from stress.states group by id, session_id having count(distinct seq) > 1 or min(rev) <> min(seq)
"""


async def install(server: Server) -> None:
    await server.execute(INSTALL)
    await server.execute("truncate stress.states, stress.leases")


async def expect_true(server: Server, whole: UUID) -> int:
    """Check all sessions' revs, and that `whole` has no hole in its; how many states there were comes back."""
    expect("revs given twice in a session", await server.execute(REPEATED), [])
    expect("messages whose seq is not the rev of their insert", await server.execute(MISPLACED), [])
    expect("holes in the revs of the session without bulk writers", (await server.execute(HOLES, whole))[0]["holes"], 0)
    return (await server.execute("select count(*) from stress.states"))[0]["count"]
