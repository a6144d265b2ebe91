"""Migrations and seed files."""

import pytest

from supalocal import MigrationError
from supalocal.project import Project, migrations

ONE = "20240101000000_one.sql"
TWO = "20240102000000_two.sql"


@pytest.fixture
def write(tmp_path):
    """Write a file of the project and return the project."""

    def write(name, text):
        path = tmp_path / "supabase" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (tmp_path / "supabase" / "config.toml").touch()
        return Project.read(tmp_path)

    return write


async def rows(connection, query):
    return await (await connection.execute(query)).fetchall()


async def applied(connection, project):
    return [migration.version for migration in await migrations.migrate(connection, project)]


async def test_migrations_run_in_order_and_once(postgres, write):
    """A second run applies only what is new."""
    write(f"migrations/{TWO}", "create table b (id int references a)")
    project = write(f"migrations/{ONE}", "create table a (id int primary key)")
    assert await applied(postgres, project) == ["20240101000000", "20240102000000"]
    project = write("migrations/20240103000000_three.sql", "create table c (id int)")
    assert await applied(postgres, project) == ["20240103000000"]


async def test_they_are_recorded_as_the_cli_records_them(postgres, write):
    """Version, statements without semicolons, and name."""
    project = write(f"migrations/{ONE}", "-- why\ncreate table a (id int);\ncomment on table a is 'x;y';\n")
    await applied(postgres, project)
    assert await rows(postgres, "select version, statements, name from supabase_migrations.schema_migrations") == [
        ("20240101000000", ["-- why\ncreate table a (id int)", "comment on table a is 'x;y'"], "one")
    ]


async def test_they_run_as_postgres_with_its_own_search_path(postgres, write):
    """What one file sets does not reach the next."""
    write(f"migrations/{ONE}", "set search_path = ''; select set_config('my.setting', 'x', false)")
    project = write(
        f"migrations/{TWO}",
        "create table seen as select current_user::text, current_setting('search_path'),"
        " nullif(current_setting('my.setting', true), '') as mine",
    )
    await applied(postgres, project)
    assert await rows(postgres, "table seen") == [("postgres", '"$user", public, extensions', None)]


async def test_a_failing_migration_names_file_line_statement_and_postgres_own_message(postgres, write):
    """All that is needed to mend it."""
    project = write(f"migrations/{ONE}", "create table a (id int);\n\n-- why\nselect\n  nothing from a;\n")
    with pytest.raises(MigrationError) as caught:
        await applied(postgres, project)
    assert (caught.value.path.name, caught.value.line, caught.value.statement, caught.value.sqlstate) == (
        ONE,
        5,
        "select\n  nothing from a",
        "42703",
    )
    assert f'{ONE}, line 5: column "nothing" does not exist (SQLSTATE 42703)' in str(caught.value)


async def test_an_error_without_a_position_names_the_statement_line(postgres, write):
    """A constraint speaks of no position in the text."""
    project = write(f"migrations/{ONE}", "create table a (id int not null);\n-- so\ninsert into a values (null);")
    with pytest.raises(MigrationError, match=r"line 3: null value .*\nFailing row contains \(null\)"):
        await applied(postgres, project)


async def test_a_failing_migration_leaves_nothing_half_applied(postgres, write):
    """Files before it stay, nothing of it does, even if it commits half-way."""
    write(f"migrations/{ONE}", "create table a (id int)")
    project = write(f"migrations/{TWO}", "begin; create table b (id int); commit; select nothing;")
    with pytest.raises(MigrationError):
        await applied(postgres, project)
    assert await rows(postgres, "select to_regclass('a')::text, to_regclass('b')") == [("a", None)]
    assert await rows(postgres, "select version from supabase_migrations.schema_migrations") == [("20240101000000",)]


async def test_an_error_at_the_commit_is_told_too(postgres, write):
    """A deferred constraint is checked when the file ends."""
    project = write(
        f"migrations/{ONE}",
        "create table a (id int primary key, next int references a deferrable initially deferred);\n"
        "insert into a values (1, 2);",
    )
    with pytest.raises(MigrationError, match="line 2: insert or update on table"):
        await applied(postgres, project)


async def test_a_mended_migration_can_be_applied(postgres, write):
    """A failure does not block the next try on the same connection."""
    with pytest.raises(MigrationError):
        await applied(postgres, write(f"migrations/{ONE}", "select nothing"))
    assert await applied(postgres, write(f"migrations/{ONE}", "select 1")) == ["20240101000000"]


async def test_seed_files_run_once(postgres, write):
    """They are recorded with path and hash, as by the CLI."""
    write(f"migrations/{ONE}", "create table a (id int)")
    project = write("seed.sql", "insert into a values (1);")
    await applied(postgres, project)
    assert [path.name for path in await migrations.seed(postgres, project)] == ["seed.sql"]
    assert await migrations.seed(postgres, project) == []
    assert await rows(postgres, "select id, path, length(hash) from a, supabase_migrations.seed_files") == [
        (1, "supabase/seed.sql", 64)
    ]


async def test_a_failing_seed_file_leaves_nothing(postgres, write):
    """It is one transaction, and runs again next time."""
    write(f"migrations/{ONE}", "create table a (id int)")
    project = write("seed.sql", "insert into a values (1);\ninsert into a values ('x');")
    await applied(postgres, project)
    with pytest.raises(MigrationError, match=r"seed.sql, line 2"):
        await migrations.seed(postgres, project)
    assert await rows(postgres, "select from a") == []


async def test_a_seed_file_that_changed_is_not_run_again(postgres, write):
    """Its new hash is recorded, as by the CLI."""
    write(f"migrations/{ONE}", "create table a (id int)")
    project = write("seed.sql", "insert into a values (1);")
    await applied(postgres, project)
    await migrations.seed(postgres, project)
    [before] = await rows(postgres, "select hash from supabase_migrations.seed_files")
    assert await migrations.seed(postgres, write("seed.sql", "insert into a values (2);")) == []
    assert await rows(postgres, "select hash from supabase_migrations.seed_files") != [before]
    assert await rows(postgres, "table a") == [(1,)]


async def test_what_stood_before_an_index_made_concurrently_stays(postgres, write):
    """Postgres makes it outside of transactions only; the file is then not recorded, as by the CLI."""
    project = write(
        f"migrations/{ONE}", "create table a (i int); create index concurrently ai on a (i); select nothing"
    )
    with pytest.raises(MigrationError, match="nothing"):
        await applied(postgres, project)
    assert await rows(postgres, "select to_regclass('a')::text, to_regclass('ai')::text") == [("a", "ai")]
    assert await rows(postgres, "select from supabase_migrations.schema_migrations") == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("copy a from stdin;\n1\n\\.\n", "line 1: COPY from stdin"),
        ("select 1;\nsavepoint a", "line 2: SAVEPOINT can only be used in transaction blocks"),
        ("begin;\ncreate table b ();", "line 2: the file begins a transaction and never commits it"),
        ("create table b ();\nset role anon", "line 2: permission denied for schema supabase_migrations"),
    ],
)
async def test_what_the_cli_could_not_apply_is_refused(postgres, write, script, words):
    """Nothing of the file is kept."""
    with pytest.raises(MigrationError, match=words):
        await applied(postgres, write(f"migrations/{ONE}", script))
    await postgres.execute("reset role")
    assert await rows(postgres, "select to_regclass('b')") == [(None,)]
    assert await rows(postgres, "select from supabase_migrations.schema_migrations") == []
