"""The founding spec's names in the database, and the rules that hold whoever writes."""

import re
from uuid import uuid4

import psycopg
import pytest


def names(database, query, *values):
    return {row[0] for row in database.execute(query, values)}


def new_session(database):
    return database.execute("select (create_session()).id").fetchone()[0]


def new_message(database, session, **columns):
    row = {"session_id": session, "user_id": uuid4(), "original": "Hi", "original_lang": "en", "target_lang": "es"}
    row |= columns
    statement = psycopg.sql.SQL("insert into messages ({}) values ({}) returning *").format(
        psycopg.sql.SQL(",").join(map(psycopg.sql.Identifier, row)),
        psycopg.sql.SQL(",").join([psycopg.sql.Placeholder()] * len(row)),
    )
    return database.cursor(row_factory=psycopg.rows.dict_row).execute(statement, list(row.values())).fetchone()


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
    rows = database.execute(
        "select proname, proconfig, obj_description(oid, 'pg_proc') from pg_proc"
        " where pronamespace in ('public'::regnamespace, 'private'::regnamespace)"
    ).fetchall()
    assert {name for name, *_ in rows} >= {
        "cleanup_stale_activity",
        "cleanup_expired_sessions",
        "generate_unique_session_code",
    }
    assert [name for name, config, comment in rows if config != ['search_path=""'] or not comment] == []


def test_anon_may_do_what_the_policies_say_and_no_more(database):
    """Open demo mode: read, create, update; nobody deletes or truncates."""
    granted = {
        (table, privilege)
        for table, privilege in database.execute(
            "select table_name, privilege_type from information_schema.role_table_grants"
            " where grantee = 'anon' and table_schema = 'public'"
        )
    }
    assert granted == {
        *((table, privilege) for table in ("sessions", "messages") for privilege in ("SELECT", "INSERT", "UPDATE")),
        *(("user_activity", privilege) for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        ("session_participants", "SELECT"),
    }
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("set role anon; select cleanup_expired_sessions()")
    database.execute("reset role")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("set role anon; select * from private.session_revisions")


def test_what_belongs_to_the_database_cannot_be_set(database):
    """seq, rev and stamps are the trigger's, id and session stay: what a client sends is ignored."""
    session, other = new_session(database), new_session(database)
    row = new_message(
        database, session, seq=99, rev=99, created_at="2000-01-01", queued_at="2000-01-01", displayed_at="2000-01-01"
    )
    assert (row["seq"], row["rev"], row["displayed_at"]) == (1, 1, None)
    assert row["created_at"].year > 2000
    database.execute(
        "update messages set id = gen_random_uuid(), session_id = %s, seq = 7, rev = 7, created_at = '2000-01-01'"
        " where id = %s",
        [other, row["id"]],
    )
    after = database.execute(
        "select session_id, seq, rev, created_at from messages where id = %s", [row["id"]]
    ).fetchone()
    assert after == (session, 1, 2, row["created_at"])


def test_clients_cannot_forge_a_sessions_facts(database):
    """user_count, code and stamps are the database's; a front end that writes them does no harm."""
    session = new_session(database)
    facts = "select code, user_count, created_at, last_activity, is_active from sessions where id = %s"
    before = database.execute(facts, [session]).fetchone()
    database.execute("set role anon")
    database.execute(
        "update sessions set user_count = 77, code = '0000', created_at = 'infinity', last_activity = 'infinity',"
        " is_active = false where id = %s",
        [session],
    )
    database.execute("reset role")
    assert database.execute(facts, [session]).fetchone() == (*before[:-1], False)


def test_activity_of_an_expired_session_cannot_be_moved_to_a_live_one(database):
    """The row stays in its session, and that is checked."""
    expired, live, user = new_session(database), new_session(database), uuid4()
    database.execute("insert into user_activity (session_id, user_id, activity_type) values (%s, %s, 'typing')",
                     [expired, user])  # fmt: skip
    database.execute("update sessions set expires_at = now() where id = %s", [expired])
    with pytest.raises(psycopg.Error) as caught:
        database.execute("update user_activity set session_id = %s where user_id = %s", [live, user])
    assert caught.value.sqlstate == "PT410"


def test_a_conflicting_insert_burns_no_rev(database):
    """ignore-duplicates changes nothing; merge-duplicates is an update and takes the next rev."""
    session = new_session(database)
    first = new_message(database, session)
    columns = "id, session_id, user_id, original, original_lang, target_lang"
    repeat = f"insert into messages ({columns}) select {columns} from messages where id = %s on conflict (id) do "
    database.execute(f"{repeat} nothing", [first["id"]])
    assert new_message(database, session)["rev"] == 2
    database.execute(f"{repeat} update set translation = 'Hola'", [first["id"]])
    assert database.execute("select seq, rev from messages where id = %s", [first["id"]]).fetchone() == (1, 3)


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        (["processing", "displayed"], None),
        (["displayed", "displayed"], None),
        (["failed", "queued", "processing", "queued"], None),
        (["displayed", "queued"], "displayed cannot become queued"),
        (["displayed", "failed"], "displayed cannot become failed"),
        (["failed", "displayed"], "failed cannot become displayed"),
        (["failed", "processing"], "failed cannot become processing"),
    ],
)
def test_only_legal_moves_of_status(database, path, refused):
    """Displayed is final, and the refusal is a sentence; the same status again is no error."""
    message = new_message(database, new_session(database))["id"]

    def walk():
        for status in path:
            database.execute("update messages set status = %s where id = %s", [status, message])

    if refused is None:
        walk()
    else:
        with pytest.raises(psycopg.Error, match=refused) as caught:
            walk()
        assert caught.value.sqlstate == "PT409"


@pytest.mark.parametrize(
    "columns",
    [
        {"original": ""},
        {"original": "x" * 10_001},
        {"original_lang": "english"},
        {"target_lang": "e"},
        {"status": "lost"},
        {"original": None},
    ],
)
def test_the_checks_are_the_sdks(database, columns):
    """Whatever the SDK refuses, the database refuses too."""
    with pytest.raises(psycopg.IntegrityError):
        new_message(database, new_session(database), **columns)


def test_an_expired_session_refuses_every_writer_without_a_lock(database, stack):
    """Also while another transaction holds the session's row."""
    session = new_session(database)
    database.execute("update sessions set expires_at = now() where id = %s", [session])
    with psycopg.connect(stack.db_url) as other:
        other.execute("select from sessions where id = %s for no key update", [session])
        database.execute("set lock_timeout = '100ms'")
        for statement in (
            """insert into messages (session_id, user_id, original, original_lang, target_lang)
               values (%s, gen_random_uuid(), 'Hi', 'en', 'es')""",
            "insert into user_activity (session_id, user_id, activity_type) values (%s, gen_random_uuid(), 'typing')",
            "insert into session_participants (session_id, user_id, lang) values (%s, gen_random_uuid(), 'en')",
        ):
            with pytest.raises(psycopg.Error) as caught:
                database.execute(statement, [session])
            assert caught.value.sqlstate == "PT410"


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
    database.execute("delete from sessions where id = %s", [session[0]])


def test_clean_up_closes_expired_sessions(database):
    """What pg_cron calls by the hour."""
    expired, live = new_session(database), new_session(database)
    database.execute("update sessions set expires_at = now() - interval '1 second' where id = %s", [expired])
    database.execute("select cleanup_expired_sessions()")
    assert database.execute(
        "select id, is_active from sessions where id = any(%s) order by is_active", [[expired, live]]
    ).fetchall() == [(expired, False), (live, True)]
