"""Extensions that projects ask for: real ones, stand-ins, and those that there are not."""

import hashlib
import hmac

import psycopg
import pytest
from support import servers

from supalocal.errors import MigrationError
from supalocal.project import Project, migrations

ASKED_FIRST = ["uuid-ossp", "pgcrypto", "pg_trgm", "citext", "moddatetime"]


async def value(connection, query, *values):
    [(found,)] = await (await connection.execute(query, values)).fetchall()
    return found


@pytest.mark.parametrize("name", [*ASKED_FIRST, "pg_cron", "pg_stat_statements", "vector", "hstore", "btree_gist"])
async def test_postgres_creates_it(postgres, name):
    """Who is no superuser, however it is asked for; and drops it, even what is there from the beginning."""
    for form in ("{}", "if not exists {}", "{} with schema extensions", "if not exists {} schema extensions cascade"):
        await postgres.execute(f'drop extension if exists "{name}"; create extension {form}'.format(f'"{name}"'))
        assert await value(postgres, "select count(*) from pg_extension where extname = %s", name) == 1


@pytest.mark.parametrize(("name", "version"), [("uuid-ossp", "1.1"), ("pgcrypto", "1.3"), ("pg_cron", "1.6")])
async def test_stand_ins_have_hosteds_version(postgres, name, version):
    """Which may be asked for."""
    await postgres.execute(f'drop extension if exists "{name}"; create extension "{name}" version "{version}"')
    assert await value(postgres, "select extversion from pg_extension where extname = %s", name) == version


async def test_what_is_there_from_the_beginning(postgres):
    """As in a new hosted project: in schema extensions, found by the search path too."""
    query = "select extname from pg_extension where extnamespace = 'extensions'::regnamespace order by 1"
    assert await (await postgres.execute(query)).fetchall() == [("pg_stat_statements",), ("pgcrypto",), ("uuid-ossp",)]
    assert (await value(postgres, "select extensions.uuid_generate_v4()")).version == 4
    assert await value(postgres, "select crypt('x', '$1$ab') = extensions.crypt('x', '$1$ab')")


async def test_statements_are_counted(postgres):
    """By pg_stat_statements, loaded as on hosted."""
    for _ in range(3):
        await postgres.execute("select 'counted'")
    query = "select calls from pg_stat_statements where query = 'select $1' and dbid = (select oid from pg_database"
    assert await value(postgres, f"{query} where datname = current_database())") == 3


async def test_moddatetime_stamps_an_update(postgres):
    """The trigger of most projects."""
    await postgres.execute(
        "create extension moddatetime schema extensions; create table note (body text, updated_at timestamptz);"
        "create trigger stamp before update on note for each row execute procedure extensions.moddatetime(updated_at);"
        "insert into note values ('first', '2000-01-01'); update note set body = 'second'"
    )
    assert await value(postgres, "select updated_at > now() - interval '1 hour' from note")


@pytest.mark.parametrize("name", ["postgis", "pg_net", "pgjwt", "http", "pgsodium", "supabase_vault", "pg_graphql"])
async def test_another_one_is_refused_by_name(postgres, tmp_path, name):
    """The sentence lists those that there are."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_it.sql").write_text(f"create table a ();\ncreate extension if not exists {name};")
    with pytest.raises(MigrationError) as caught:
        await migrations.migrate(postgres, Project.read(tmp_path))
    assert f'line 2: supalocal has no extension "{name}". It has ' in str(caught.value)
    assert [known for known in (*ASKED_FIRST, "pg_cron", "vector") if known not in str(caught.value)] == []
    assert await value(postgres, "select to_regclass('a')") is None


async def test_postgres_itself_says_that_it_is_missing(postgres):
    """To who asks without supalocal's migrations."""
    with pytest.raises(psycopg.errors.FeatureNotSupported, match='extension "postgis" is not available') as caught:
        await postgres.execute("create extension postgis")
    assert "must first be installed" in caught.value.diag.message_hint


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "SHA512"])
async def test_digest_and_hmac(postgres, algorithm):
    """The values of Python's own library, around the edges of their blocks."""
    for length in (0, 3, 55, 56, 64, 111, 112, 128, 300):
        data, key = bytes(range(256)) + bytes(length), bytes(length)
        data = data[-length:] if length else b""
        assert await value(postgres, "select digest(%b, %s)", data, algorithm) == hashlib.new(algorithm, data).digest()
        said = await value(postgres, "select hmac(%b, %b, %s)", data, key, algorithm)
        assert said == hmac.digest(key, data, algorithm.lower())


async def test_random_bytes(postgres):
    """As many as were asked for, never the same."""
    drawn = [await value(postgres, "select gen_random_bytes(%s)", length) for length in (1, 16, 1024)]
    assert [len(some) for some in drawn] == [1, 16, 1024]
    assert len({drawn[2][at : at + 16] for at in range(0, 1024, 16)}) == 64


@pytest.mark.parametrize("kind", ["bf", "md5"])
async def test_a_password_fits_its_own_hash(postgres, kind):
    """And no other; the salt differs each time."""
    first = await value(postgres, "select crypt('secret', gen_salt(%s))", kind)
    assert await value(postgres, "select crypt('secret', %s)", first) == first
    assert await value(postgres, "select crypt('Secret', %s)", first) != first
    assert await value(postgres, "select gen_salt(%s)", kind) != await value(postgres, "select gen_salt(%s)", kind)


REFUSED = [
    ("digest('a', 'foo')", "22023", 'Cannot use "foo": No such hash algorithm'),
    ("gen_salt('foo')", "22023", "gen_salt: Unknown salt algorithm"),
    ("gen_salt('bf', 3)", "22023", "gen_salt: Incorrect number of rounds"),
    ("gen_random_bytes(1025)", "39000", "Length not in range"),
    ("crypt('a', '$2a$06$short')", "22023", "invalid salt"),
    ("crypt('a', '')", "22023", "invalid salt"),
    ("gen_salt('des')", "0A000", "gen_salt('des') of pgcrypto is not supported by supalocal"),
    ("crypt('a', 'ab')", "0A000", "crypt() of pgcrypto with a DES salt is not supported by supalocal"),
    ("encrypt('a', 'b', 'aes')", "0A000", "encrypt() of pgcrypto is not supported by supalocal"),
    ("pgp_sym_encrypt('a', 'b')", "0A000", "pgp_sym_encrypt() of pgcrypto is not supported by supalocal"),
    ("armor('a')", "0A000", "armor() of pgcrypto is not supported by supalocal"),
]


async def test_what_pgcrypto_refuses(postgres):
    """In its own words, or by name where only the stand-in does."""
    for call, state, words in REFUSED:
        with pytest.raises(psycopg.Error) as caught:
            await postgres.execute(f"select {call}")
        assert (caught.value.sqlstate, caught.value.diag.message_primary) == (state, words)


@pytest.fixture(scope="module")
def real():
    """A connection to Debian's Postgres 15 with the real extensions."""
    try:
        with servers.running(15) as server, psycopg.connect(server.url(), autocommit=True) as connection:
            yield connection
    except servers.ServerMissing as missing:
        pytest.skip(str(missing))


SAME = [
    "uuid_generate_v3(uuid_ns_dns(), 'example.org')",
    "uuid_generate_v5(uuid_ns_url(), 'https://example.org/ü')",
    "uuid_generate_v5(uuid_ns_oid(), repeat('x', 200))",
    "uuid_generate_v3(uuid_ns_x500(), '')",
    "uuid_nil()",
    "digest('grüße', 'sha1')",
    "hmac('data', repeat('key', 60), 'sha384')",
    "crypt('secret', '$2a$05$abcdefghijklmnopqrstuu')",
    "crypt('', '$2a$04$......................')",
    "crypt(repeat('ü', 40), '$2a$04$zZ9./zZ9./zZ9./zZ9./zZ')",
    "crypt('secret', '$1$abcdefgh$ignored')",
    "crypt('', '$1$')",
    "crypt(repeat('long ', 30), '$1$salt')",
    "length(gen_salt('bf')), left(gen_salt('bf'), 7), left(gen_salt('bf', 11), 7)",
    "length(gen_salt('md5')), left(gen_salt('md5', 1000), 3)",
]


async def test_stand_ins_give_the_real_values(postgres, real):
    """Compared with the extensions that they stand in for."""
    for call in SAME:
        ours = await (await postgres.execute(f"select {call}")).fetchall()
        assert ours == real.execute(f"select {call}").fetchall()


SIGNATURES = """
select proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid), proisstrict, provolatile
from pg_proc p join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
join pg_extension e on e.oid = d.refobjid
where e.extname = %s
"""


@pytest.mark.parametrize("name", ["uuid-ossp", "pgcrypto"])
async def test_stand_ins_have_every_function(postgres, real, name):
    """With its arguments, its result, and what it says of itself."""
    ours = {row[:3] for row in await (await postgres.execute(SIGNATURES, [name])).fetchall()}
    theirs = {row[:3] for row in real.execute(SIGNATURES, [name]).fetchall()}
    assert theirs - ours == set()
