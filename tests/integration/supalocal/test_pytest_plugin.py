"""The pytest plugin as its users run it: a project of their own, pytest in a process of its own."""

import re
import textwrap

import pytest

import supalocal.pytest

MIGRATION = """
create table notes (id int generated always as identity primary key, body text, owner uuid default auth.uid());
alter table notes enable row level security;
create policy own on notes to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
create table kinds (name text primary key);
insert into kinds values ('private'), ('shared');
grant all on notes, kinds to anon, authenticated, service_role;
alter publication supabase_realtime add table notes;
"""
SEED = "insert into kinds values ('seeded');"
ANONYMOUS = "[auth]\nenable_anonymous_sign_ins = true\n"


@pytest.fixture
def project(pytester):
    """A project of one migration; its tests are to be added, and run with every warning an error."""

    def write(path, text):
        file = pytester.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    write("supabase/config.toml", ANONYMOUS)
    write("supabase/migrations/20240101000000_notes.sql", MIGRATION)
    write("supabase/seed.sql", SEED)
    write("conftest.py", 'pytest_plugins = ["supalocal.pytest"]\n')
    pytester.add = write
    return pytester


def run(project, *options):
    # pytest-asyncio, of which not all of these projects know, warns where its loop is not chosen.
    loop = "--override-ini=asyncio_default_fixture_loop_scope=function"
    return project.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider", loop, *options)


def examples():
    """The blocks of code in the plugin's documentation."""
    blocks = re.findall(r"\n\n((?: {4}.*\n|\n)+)", supalocal.pytest.__doc__)
    return [textwrap.dedent(block) for block in blocks]


def test_the_documented_example_runs(project):
    """Copied from the documentation as it stands, in a project with such notes."""
    plugins, test, fixture, *_ = examples()
    project.add("conftest.py", plugins)
    project.add("test_notes.py", test)
    project.add(
        "test_alice.py",
        "import pytest\n"
        + fixture
        + "async def test_alice(alice): assert (await alice.auth.get_user()).user.is_anonymous",
    )
    run(project, "--asyncio-mode=auto").assert_outcomes(passed=2)


def test_each_test_starts_clean(project):
    """With the rows of migrations and seed and nothing else, also of users; sequences start again."""
    project.add(
        "test_it.py",
        """
        import psycopg, pytest

        @pytest.mark.parametrize("_", range(3))
        def test_it(supabase, _):
            with supabase.user() as user, supabase.service_role() as all_seeing:
                assert {row["name"] for row in user.table("kinds").select("*").execute().data} == {
                    "private", "shared", "seeded"}
                user.table("kinds").delete().neq("name", "").execute()
                [note] = user.table("notes").insert({"body": "x"}).execute().data
                assert note["id"] == 1
                assert len(all_seeing.table("notes").select("*").execute().data) == 1
                assert len(all_seeing.auth.admin.list_users()) == 1

        def test_writes_without_asking(supabase_stack):
            with psycopg.connect(supabase_stack.db_url) as connection:
                connection.execute("insert into notes (body) values ('left')")

        def test_none_is_left(supabase):
            with psycopg.connect(supabase.stack.db_url) as connection:
                assert connection.execute("select * from notes").fetchall() == []
        """,
    )
    run(project).assert_outcomes(passed=5)


LOOPS = {
    "strict, a loop for each function": ["--asyncio-mode=strict"],
    "auto, a loop for the session": [
        "--asyncio-mode=auto",
        "--override-ini=asyncio_default_test_loop_scope=session",
        "--override-ini=asyncio_default_fixture_loop_scope=session",
    ],
}


@pytest.mark.parametrize("options", LOOPS.values(), ids=LOOPS)
def test_async_clients_work_in_any_loop(project, options):
    """Two users beside each other, and Realtime, which hears nothing of the test before."""
    project.add(
        "test_it.py",
        """
        import asyncio, psycopg, pytest

        @pytest.mark.asyncio
        async def test_two_users(supabase):
            async with supabase.user() as alice, supabase.user() as bob, supabase.anon() as nobody:
                await alice.table("notes").insert({"body": "mine"}).execute()
                found = [(await c.table("notes").select("body").execute()).data for c in (alice, bob, nobody)]
            assert found == [[{"body": "mine"}], [], []]

        @pytest.mark.asyncio
        @pytest.mark.parametrize("_", range(3))
        async def test_realtime(supabase, _):
            heard, ready = asyncio.Queue(), asyncio.Event()
            async with supabase.service_role() as client:
                channel = client.channel("notes")
                channel.on_postgres_changes("*", schema="public", table="notes", callback=heard.put_nowait)
                channel.on_system(lambda _: ready.set())
                await channel.subscribe()
                await asyncio.wait_for(ready.wait(), 10)
                await client.table("notes").insert({"body": "now"}).execute()
                change = await asyncio.wait_for(heard.get(), 10)
                with psycopg.connect(supabase.stack.db_url) as connection:
                    connection.execute("insert into notes (body) select 'late' from generate_series(1, 5000)")
            assert (change["data"]["type"], change["data"]["record"]["body"]) == ("INSERT", "now")
        """,
    )
    run(project, *options).assert_outcomes(passed=4)


def test_the_settings_choose_project_and_seed(project):
    """A folder elsewhere, and no seed files."""
    (project.path / "backend").mkdir()
    (project.path / "supabase").rename(project.path / "backend/supabase")
    project.add("pytest.ini", "[pytest]\nsupabase_project = backend\nsupabase_seed = false\n")
    project.add(
        "test_it.py",
        """
        def test_it(supabase):
            with supabase.anon() as client:
                assert len(client.table("kinds").select("*").execute().data) == 2
        """,
    )
    run(project, "--strict-config").assert_outcomes(passed=1)


def test_another_stack_can_be_given(project):
    """By overriding one fixture."""
    project.add(
        "test_it.py",
        """
        import pytest, supalocal

        @pytest.fixture(scope="session")
        def supabase_unstarted():
            return supalocal.Stack("supabase", jwt_secret=32 * "x")

        def test_it(supabase, supabase_stack):
            assert supabase.stack is supabase_stack
            assert supabase.stack.anon_key != supalocal.Keys().anon
            with supabase.user() as client:
                assert client.auth.get_user().user.is_anonymous
        """,
    )
    run(project).assert_outcomes(passed=1)


def test_what_is_missing_is_said(project):
    """Anonymous sign-ins that the project does not allow, and a transaction that a test leaves open."""
    project.add("supabase/config.toml", "")
    project.add(
        "test_it.py",
        """
        import psycopg, pytest

        def test_user(supabase):
            with supabase.user():
                pass

        def test_forgetful(supabase):
            global left_open
            left_open = psycopg.connect(supabase.stack.db_url, application_name="forgetful")
            left_open.execute("insert into notes (body) values ('x')")

        def test_blocked(supabase):
            pass

        def test_free_again(supabase):
            left_open.close()
        """,
    )
    result = run(project)
    result.assert_outcomes(failed=1, errors=1, passed=2)
    result.stdout.fnmatch_lines_random(
        [
            "*set enable_anonymous_sign_ins = true below [[]auth[]] in supabase/config.toml.",
            "*A transaction of another connection holds notes: *of forgetful*last ran: insert into notes*",
        ]
    )


def test_a_missing_project_is_said(pytester):
    """With the sentence that the command says too."""
    pytester.makeconftest('pytest_plugins = ["supalocal.pytest"]')
    pytester.makepyfile("def test_it(supabase): pass")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ProjectError: * is no Supabase project*"])
