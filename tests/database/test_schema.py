"""The founding spec's names in the database, its privileges, and the seed."""

import re

import pytest
from support import rows

FUNCTIONS = """
select proname from pg_proc
where pronamespace in ('public'::regnamespace, 'private'::regnamespace) and
"""


def names(database, query, *values):
    return set(rows.column(database, query, *values))


def test_every_index_of_the_spec_is_there(database):
    """By its own name; idx_sessions_code is unique, and codes are free again when a session is closed."""
    definitions = dict(database.execute("select indexname, indexdef from pg_indexes where schemaname = 'public'"))
    assert definitions.keys() >= {
        "idx_sessions_code",
        "idx_sessions_expires_at",
        "idx_messages_session_id",
        "idx_messages_status",
        "idx_messages_queue",
        "idx_user_activity_session",
        "idx_user_activity_updated",
    }
    assert definitions["idx_sessions_code"].startswith("CREATE UNIQUE INDEX")
    assert definitions["idx_sessions_code"].endswith("(code) WHERE is_active")


def test_every_policy_of_the_spec_is_there(database):
    """By its own name, on tables with row level security."""
    assert names(database, "select policyname from pg_policies where schemaname = 'public'") >= {
        "Anyone can read sessions",
        "Anyone can create sessions",
        "Anyone can update sessions",
        "Anyone can read messages",
        "Anyone can create messages",
        "Anyone can update messages",
        "Anyone can manage activity",
    }
    assert names(
        database, "select relname from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity"
    ) == {"sessions", "session_participants", "messages", "user_activity"}


def test_the_three_tables_are_published(database):
    """And no other."""
    query = "select tablename from pg_publication_tables where pubname = 'supabase_realtime'"
    assert names(database, query) == {"sessions", "messages", "user_activity"}


def test_every_function_has_an_empty_search_path_and_a_comment(database):
    """No name is looked up in a schema that somebody else may write to."""
    functions = names(database, f"{FUNCTIONS} true")
    assert functions >= {"cleanup_stale_activity", "cleanup_expired_sessions", "generate_unique_session_code"}
    unsafe = "(proconfig is distinct from array['search_path=\"\"'] or obj_description(oid, 'pg_proc') is null)"
    assert names(database, f"{FUNCTIONS} {unsafe}") == set()


def test_every_table_and_view_has_a_comment(database):
    """A reader of the schema finds out what each is for."""
    assert (
        names(
            database,
            "select relname from pg_class where relkind in ('r', 'v') and obj_description(oid, 'pg_class') is null"
            " and relnamespace in ('public'::regnamespace, 'private'::regnamespace)",
        )
        == set()
    )


def test_what_runs_with_the_owners_rights(database):
    """Triggers that write what clients may not, a lock on what they cannot see, the look into schema cron."""
    assert names(database, f"{FUNCTIONS} prosecdef") == {
        "require_live_session",
        "count_participants",
        "notice_absent",
        "start_revisions",
        "number_new_message",
        "number_message_update",
        "settle_job",
        "hold_counter",
        "hold_back",
        "cleanup_status",
    }


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_clients_may_call_what_the_sdk_calls(database, role):
    """And what those functions call in turn; the queue and the clean-up are not theirs."""
    assert names(database, f"{FUNCTIONS} has_function_privilege(%s, oid, 'execute')", role) == {
        "generate_unique_session_code",
        "create_session",
        "join_session",
        "leave_session",
        "touch_participant",
        "extend_session",
        "close_session",
        "send_message",
        "send_messages",
        "messages_since",
        "get_session_activities",
        "require_live",
        "hold_counter",
        "hold_back",
        "metric",
        "session_stats",
    }


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_clients_may_do_what_the_policies_say_and_no_more(database, role):
    """Open demo mode: read, create, update; nobody deletes or truncates."""
    granted = rows.every(
        database,
        "select table_schema, table_name, array_agg(privilege_type::text order by privilege_type) as privileges"
        " from information_schema.role_table_grants"
        " where grantee = %s and table_schema in ('public', 'private') group by 1, 2",
        role,
    )
    assert {(row["table_schema"], row["table_name"]): row["privileges"] for row in granted} == {
        ("public", "sessions"): ["INSERT", "SELECT", "UPDATE"],
        ("public", "messages"): ["INSERT", "SELECT", "UPDATE"],
        ("public", "user_activity"): ["DELETE", "INSERT", "SELECT", "UPDATE"],
        ("public", "session_participants"): ["SELECT"],
    }


def test_the_seed_can_run_twice(database, root):
    """A short conversation, once; it holds no code, and its user_count is right."""
    seed = (root / "supabase" / "seed.sql").read_text()
    seeded = re.search(r"'(5eed[0-9a-f-]+)'", seed)[1]
    for _ in range(2):
        database.execute(seed)
    [session] = database.execute("select id, is_active, user_count from sessions where id = %s", [seeded]).fetchall()
    assert session[1:] == (False, 2)
    assert database.execute(
        "select array_agg(seq order by seq) from messages where session_id = %s", [session[0]]
    ).fetchone() == ([1, 2, 3, 4],)
