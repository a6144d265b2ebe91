"""A prepared database looks like a hosted project's."""

import json
from pathlib import Path

import psycopg
import pytest

from supalocal import UnsuitableDatabaseError, bootstrap
from supalocal.database import Database


async def rows(connection, query, *values):
    return await (await connection.execute(query, values)).fetchall()


async def test_the_roles_have_the_rights_of_a_hosted_project(postgres):
    """Superuser, login, inherit, bypass: `postgres` is no superuser, the API roles cannot log in."""
    found = await rows(
        postgres,
        "select rolname, rolsuper, rolcanlogin, rolinherit, rolbypassrls from pg_roles"
        " where rolname !~ '^pg_' order by rolname",
    )
    assert found == [
        ("anon", False, False, False, False),
        ("authenticated", False, False, False, False),
        ("authenticator", False, True, False, False),
        ("postgres", False, True, True, True),
        ("service_role", False, False, False, True),
        ("supabase_admin", True, True, True, True),
        ("supabase_auth_admin", False, True, False, False),
        ("supabase_realtime_admin", False, False, False, False),
        ("supabase_storage_admin", False, False, False, False),
    ]


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
async def test_the_authenticator_becomes_each_api_role(authenticator, role):
    """REST logs in once and takes on the caller's role."""
    await authenticator.execute(f"set role {role}")
    assert await rows(authenticator, "select current_user, session_user") == [(role, "authenticator")]


async def test_the_authenticator_has_no_rights_of_its_own(authenticator, postgres):
    """Without a role it reads nothing."""
    await postgres.execute("create table notes (id int)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await authenticator.execute("select from notes")


async def test_migrations_set_up_rest(postgres):
    """As `postgres`: REST's settings are settings of the role that it logs in as."""
    await postgres.execute("alter role authenticator set pgrst.db_aggregates_enabled to 'true'")
    settings = "select unnest(setconfig) from pg_db_role_setting where setrole = 'authenticator'::regrole"
    assert ("pgrst.db_aggregates_enabled=true",) in await rows(postgres, settings)
    await postgres.execute("alter role authenticator reset pgrst.db_aggregates_enabled")


async def test_what_postgres_creates_is_open_to_the_api_roles(authenticator, postgres):
    """New tables, sequences and functions in public need no grant; row level security decides about rows."""
    await postgres.execute("create table notes (id int generated always as identity, text text)")
    await postgres.execute("alter table notes enable row level security")
    await postgres.execute("create policy reading on notes for select using (true)")
    await postgres.execute("insert into notes (text) values ('hello')")
    await authenticator.execute("set role anon")
    assert await rows(authenticator, "select text from notes") == [("hello",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        await authenticator.execute("insert into notes (text) values ('x')")


async def test_new_tables_can_be_kept_closed(authenticator, postgres, admin):
    """With auto_expose_new_tables = false a table needs its own grants."""
    await bootstrap.prepare(admin, expose_new_tables=False)
    await postgres.execute("create table notes (id int)")
    await authenticator.execute("set role anon")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table notes"):
        await authenticator.execute("select from notes")


async def test_preparing_again_does_nothing(admin, postgres):
    """What a project changed since stays changed."""
    await postgres.execute("alter role anon set statement_timeout = '1s'")
    assert await bootstrap.prepare(admin) is False
    found = await rows(
        admin, "select setconfig from pg_db_role_setting where setrole = 'anon'::regrole and setdatabase = 0"
    )
    await postgres.execute("alter role anon set statement_timeout = '3s'")
    assert found == [(["statement_timeout=1s"],)]


CLAIMS = {"sub": "7f1c0a52-0d6c-4f57-9f2b-0b6b3f3f5c11", "role": "authenticated", "email": "a@b.c"}


async def test_policies_can_ask_who_calls(authenticator):
    """auth.uid(), role(), email() and jwt() read the transaction's claims and are null after it."""
    asked = "select auth.uid()::text, auth.role(), auth.email(), auth.jwt()"
    async with authenticator.transaction():
        await authenticator.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(CLAIMS)])
        await authenticator.execute("set local role authenticated")
        assert await rows(authenticator, asked) == [(CLAIMS["sub"], "authenticated", "a@b.c", CLAIMS)]
    await authenticator.execute("set role anon")
    assert await rows(authenticator, asked) == [(None, None, None, None)]


async def test_the_old_claim_settings_win(authenticator):
    """request.jwt.claim.sub is asked before request.jwt.claims, as in Supabase's own functions."""
    await authenticator.execute("set role anon")
    await authenticator.execute("select set_config('request.jwt.claim.role', 'old', false)")
    await authenticator.execute("""set request.jwt.claims = '{"role": "new"}'""")
    assert await rows(authenticator, "select auth.role()") == [("old",)]


async def test_migrations_make_buckets_and_their_policies(authenticator, postgres):
    """As `postgres`, who owns neither table; the policy then decides about rows."""
    await postgres.execute("insert into storage.buckets (id, name) values ('avatars', 'avatars')")
    await postgres.execute("insert into storage.objects (bucket_id, name) values ('avatars', 'ada/1.png')")
    await postgres.execute("insert into storage.objects (bucket_id, name) values ('avatars', 'bob/1.png')")
    await postgres.execute("drop policy if exists own on storage.objects")
    await postgres.execute(
        "create policy own on storage.objects using (bucket_id = 'avatars' and (storage.foldername(name))[1] = 'ada')"
    )
    await authenticator.execute("set role authenticated")
    seen = await rows(authenticator, "select storage.filename(name), storage.extension(name) from storage.objects")
    assert seen == [("1.png", "png")]


async def test_users_are_out_of_reach_of_the_api_roles(authenticator, postgres):
    """Only `postgres` reads auth.users and may reference it."""
    await postgres.execute("create table profiles (id uuid references auth.users on delete cascade)")
    await authenticator.execute("set role service_role")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await authenticator.execute("select from auth.users")


async def test_postgres_owns_the_publication(postgres):
    """Migrations add their tables to Realtime without a superuser."""
    await postgres.execute("create table notes (id int)")
    await postgres.execute("alter publication supabase_realtime add table notes")
    published = "select tablename from pg_publication_tables where pubname = 'supabase_realtime'"
    assert await rows(postgres, published) == [("notes",)]


@pytest.mark.parametrize("ddl", ["create table notes (id int)", "create view one as select 1", "drop table there"])
async def test_ddl_is_announced_to_rest(postgres, authenticator, ddl):
    """A committed change of the schema notifies pgrst."""
    await postgres.execute("create table there (id int)")
    await authenticator.execute("listen pgrst")
    await postgres.execute(ddl)
    announced = [note.payload async for note in authenticator.notifies(timeout=5, stop_after=1)]
    assert announced[:1] == ["reload schema"]


async def test_temporary_tables_are_not_announced(postgres, authenticator):
    """REST cannot see them."""
    await authenticator.execute("listen pgrst")
    await postgres.execute("create temporary table passing (id int)")
    await postgres.execute("notify pgrst, 'after'")
    assert [note.payload async for note in authenticator.notifies(timeout=5, stop_after=1)] == ["after"]


async def test_uuid_ossp_is_there_for_migrations(postgres):
    """The stand-in installs as `postgres` and answers like the real extension."""
    await postgres.execute('create extension if not exists "uuid-ossp" with schema extensions')
    assert await rows(
        postgres,
        "select uuid_generate_v4() <> uuid_generate_v4(), uuid_generate_v1() < uuid_generate_v1(),"
        " uuid_generate_v5(uuid_ns_dns(), 'www.example.com')::text,"
        " uuid_generate_v3(uuid_ns_dns(), 'www.example.com')::text,"
        " uuid_extract_version(uuid_generate_v1mc()), uuid_extract_timestamp(uuid_generate_v1()) - now() < '1 minute',"
        " uuid_nil()::text",
    ) == [
        (
            True,
            True,
            "2ed6657d-e927-568b-95e1-2665a8aea6a2",
            "5df41881-3aed-3515-88a7-2f4a814cf09e",
            1,
            True,
            "00000000-0000-0000-0000-000000000000",
        )
    ]


async def test_a_login_without_superuser_rights_is_refused(postgres):
    """A database given by URL is prepared by a superuser only."""
    with pytest.raises(UnsuitableDatabaseError, match="superuser"):
        await bootstrap.require_suitable(postgres)


async def test_a_server_without_a_logical_log_is_refused(admin):
    """The error says how to switch it on."""
    await bootstrap.require_suitable(admin)

    class Minimal:
        """Answers as a server with Postgres's own default would."""

        async def execute(self, query):
            return await admin.execute(query.replace(b"current_setting('wal_level')", b"'replica'"))

    with pytest.raises(UnsuitableDatabaseError, match="alter system set wal_level = logical"):
        await bootstrap.require_suitable(Minimal())


def test_an_external_database_is_used_as_its_own_roles():
    """The given login stays the superuser; `postgres` and `authenticator` log in beside it."""
    assert Database.external("postgresql://boss:secret@db:5433/app?sslmode=disable") == Database(
        admin="postgresql://boss:secret@db:5433/app?sslmode=disable",
        postgres="postgresql://postgres:postgres@db:5433/app?sslmode=disable",
        authenticator="postgresql://authenticator:postgres@db:5433/app?sslmode=disable",
        auth="postgresql://supabase_auth_admin:postgres@db:5433/app?sslmode=disable",
        url="postgresql://postgres:postgres@db:5433/app?sslmode=disable",
        admin_url="postgresql://boss:secret@db:5433/app?sslmode=disable",
    )


def test_the_bootstrap_is_sql_in_files():
    """Each file says in its first line what it is for."""
    folder = Path(bootstrap.__file__).parent
    assert [path.name for path in folder.glob("*.sql") if not path.read_text().startswith("-- ")] == []
