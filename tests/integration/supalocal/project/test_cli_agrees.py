"""The real Supabase CLI and we do the same with the same files, and either finds the other's work done."""

import itertools
import subprocess

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from support.cli import Cli

from supalocal import MigrationError, bootstrap
from supalocal.project import Project, migrations

HISTORY = "select version, name, statements from supabase_migrations.schema_migrations order by version"
TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace order by relname"

APPLY = {
    "comments": b"-- a; b\n/* x; /* y; */ z; */\nselect 1; -- trailing\n-- end\n",
    "dollars": b"do $$ begin perform 1; end $$;\ndo $a$ begin perform $$;$$; end $a$;\nselect 1 as a$b$;",
    "arguments": b"create function one(a int) returns int language sql as $_$ select $1; $_$;",
    "transaction": b"begin;\ncreate table in_begin ();\ncommit;\nbegin isolation level serializable;\nselect 1;\nend;",
    "savepoints": b"create table s (); begin; lock table s in exclusive mode; savepoint x; release x; commit;",
    "undone": b"create table kept (); begin; create table lost (); rollback; create table kept_too ();",
    "idle_rollback": b"create table before (); rollback; create table after ();",
    "nothing": b"",
    "blanks": b"\n  \n",
    "only_comment": b"-- nothing\n",
    "semicolons": b";;\n ; select 1;;",
    "crlf": b"select 1;\r\n-- c\r\ndo $$\r\nbegin\r\nend $$;\r\n",
    "byte_order_mark": b"\xef\xbb\xbfcreate table bom (id int);",
    "latin1": b"create table latin (t text); -- caf\xe9\ninsert into latin values ('\xe9');",
    "strings": b"select E'a\\';b', e'c\\\\'; select 'it''s;', 'a\\'; select U&'d\\0061;', B'1', X'1F', N'x;';",
    "atomic": b"create function at(a int) returns int language sql begin atomic "
    b"select case when a > 1 then 1 end; select 3; end;",
    "words": b'create table t ("begin atomic" int); select case when true then 1 end; select 1 as begin, 2 as "end";',
    "upper": b"BEGIN;\nCREATE TABLE UP (id int);\nEND TRANSACTION;",
    "settings": b"set lock_timeout = '5s'; set local statement_timeout = 0; set search_path = '';"
    b"create table public.p ();",
    "unicode": 'create table "tä;ble" ("ünï" text); insert into "tä;ble" values (\'日本;語\');'.encode(),
    "quoted": b'create table "a""b;" (id int); comment on table "a""b;" is \'x;\'\'y\';',
    "concurrently": b"create table c (id int); create index concurrently ci on c (id);"
    b"drop index concurrently ci; select 1;",
    "rule": b"create table r (id int); create rule rr as on insert to r do also (select 1; select ')'; select 2);",
    "vacuum": b"vacuum s;",
    "prepared": b"prepare q as select $1::int; execute q(1); deallocate q;",
}
REFUSE = {
    "rule": b"create table a (id int); create rule r as on insert to a do also (select (1); select 2);",
    "savepoint": b"create table a (); savepoint s;",
    "copy": b"create table a (id int);\ncopy a from stdin;\n1\n\\.\n",
    "psql": b"create table a (id int);\n\\d a\n",
    "role": b"create table a (id int); set role anon;",
    "deferred": b"create table a (id int primary key, b int references a deferrable initially deferred);"
    b"insert into a values (1, 2);",
    "late": b"create table a (id int); create index concurrently i on a (id); select nothing;",
    "open_string": b"create table a (id int); select 'abc;",
}
_numbers = itertools.count()


class Side:
    """A database of one's own like a new hosted project's."""

    def __init__(self, server, name):
        self.url = f"{server.url('postgres').rpartition('/')[0]}/{name}"
        self.login = make_conninfo(server.conninfo("postgres"), dbname=name)

    def ask(self, query):
        with psycopg.connect(self.login) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def cli(tmp_path):
    program = Cli.find()
    if program is None:
        pytest.skip("needs the Supabase CLI (npm package supabase) in SUPABASE_CLI_PATH")
    (tmp_path / "supabase/migrations").mkdir(parents=True)
    (tmp_path / "supabase/config.toml").write_text('project_id = "x"\n')
    return Cli(program, tmp_path, tmp_path)


@pytest.fixture
async def sides(server):
    """The CLI's database, and ours."""
    made = []
    for who in ("by_cli", "by_us"):
        name = f"{who}_{next(_numbers)}"
        async with await psycopg.AsyncConnection.connect(server.conninfo("supabase_admin"), autocommit=True) as admin:
            await admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        login = make_conninfo(server.conninfo("supabase_admin"), dbname=name)
        async with await psycopg.AsyncConnection.connect(login, autocommit=True) as admin:
            await bootstrap.prepare(admin)
        made.append(Side(server, name))
    return made


async def migrate(side, root):
    async with await psycopg.AsyncConnection.connect(side.login, autocommit=True) as connection:
        return await migrations.migrate(connection, Project.read(root))


async def test_the_same_files_leave_the_same_tables_and_records(cli, sides):
    """Row by row; `migration list` and another `db push` of either find nothing to do in the other's database."""
    by_cli, by_us = sides
    for number, (name, script) in enumerate(APPLY.items()):
        (cli.project / f"supabase/migrations/202401010000{number:02}_{name}.sql").write_bytes(script)
    cli.push(by_cli.url)
    assert len(await migrate(by_us, cli.project)) == len(APPLY)
    assert by_us.ask(HISTORY) == by_cli.ask(HISTORY)
    assert by_us.ask(TABLES) == by_cli.ask(TABLES)
    assert "up to date" in cli.push(by_us.url)
    assert await migrate(by_cli, cli.project) == []
    listed = cli.ask("migration", "list", f"--remote={by_us.url}")["migrations"]
    assert [row["local"] for row in listed] == [row["remote"] for row in listed]
    assert len(listed) == len(APPLY)


@pytest.mark.parametrize("name", REFUSE)
async def test_the_same_files_are_refused(cli, sides, name):
    """And leave the same behind."""
    by_cli, by_us = sides
    (cli.project / f"supabase/migrations/20240101000000_{name}.sql").write_bytes(REFUSE[name])
    with pytest.raises(subprocess.CalledProcessError):
        cli.push(by_cli.url)
    with pytest.raises(MigrationError):
        await migrate(by_us, cli.project)
    assert by_us.ask(HISTORY) == by_cli.ask(HISTORY) == []
    assert by_us.ask(TABLES) == by_cli.ask(TABLES)


async def test_seed_files_are_recorded_alike(cli, sides):
    """Path and hash, also after a change; and neither runs a file that the other ran."""
    by_cli, by_us = sides
    (cli.project / "supabase/migrations/20240101000000_a.sql").write_text("create table a (id int);")
    seed = cli.project / "supabase/seed.sql"
    for content in (b"\xef\xbb\xbf-- one\r\ninsert into a values (1);\r\n", b"insert into a values (2);"):
        seed.write_bytes(content)
        cli.run("db", "push", "--yes", "--include-seed", f"--remote={by_cli.url}")
        await migrate(by_us, cli.project)
        async with await psycopg.AsyncConnection.connect(by_us.login, autocommit=True) as connection:
            await migrations.seed(connection, Project.read(cli.project))
        for query in ("select path, hash from supabase_migrations.seed_files", "table a"):
            assert by_us.ask(query) == by_cli.ask(query)
    assert by_us.ask("table a") == [(1,)]
