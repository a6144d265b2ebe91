"""supabase/tests/database under pg_prove, as `supabase test db` runs it."""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

FOLDER = Path(__file__).parents[2] / "supabase" / "tests" / "database"
PG_PROVE = shutil.which("pg_prove")
FILES = sorted(FOLDER.glob("*.test.sql"))


@pytest.fixture(scope="session")
def pgtap(debian, pushed):
    """The database with pgTAP in it."""
    try:
        debian.install("pgtap")
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("needs Debian's postgresql-15-pgtap")
    if PG_PROVE is None:
        pytest.skip("needs pg_prove (Debian: libtap-parser-sourcehandler-pgtap-perl)")
    return pushed


def prove(url, file):
    login = {f"PG{name.upper()}": value for name, value in conninfo_to_dict(url).items()}
    login["PGDATABASE"] = login.pop("PGDBNAME")
    return subprocess.run(
        [PG_PROVE, "--failures", file], env=os.environ | login, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_pg_prove(pgtap, file):
    """Every assertion of the file holds."""
    done = prove(pgtap, file)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_leaves_nothing_behind(file):
    """It is one transaction that rolls back."""
    statements = [line for line in file.read_text().splitlines() if line and not line.startswith("--")]
    assert (statements[0], statements[-1]) == ("begin;", "rollback;")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("select ok(false);", "Failed test 1"),
        ("select nothing;", 'column "nothing" does not exist'),
        ("", "planned 1 tests but ran 0"),
    ],
)
def test_a_fault_is_noticed(pgtap, tmp_path, fault, words):
    """A failing assertion, an SQL error, or fewer assertions than planned."""
    file = tmp_path / "fault.test.sql"
    file.write_text(f"begin;\nselect plan(1);\n{fault}\nselect * from finish();\nrollback;\n")
    done = prove(pgtap, file)
    assert done.returncode != 0
    assert words in done.stdout + done.stderr
