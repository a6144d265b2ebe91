"""What is put where the server looks for extensions first."""

import pytest

from supalocal.extensions import shelf


@pytest.fixture
def system(tmp_path):
    """The server's own extensions: one that it does not trust, one that we stand in for elsewhere."""
    made = tmp_path / "it's" / "extension"
    made.mkdir(parents=True)
    for name in ("moddatetime", "pgcrypto", "file_fdw"):
        (made / f"{name}.control").write_text("default_version = '1.0'")
    return made


@pytest.fixture
def stocked(tmp_path, system):
    """The shelf, by name of file."""
    (tmp_path / "shelf").mkdir()
    shelf.stock(tmp_path / "shelf", system)
    return {file.name: file.read_text() for file in (tmp_path / "shelf").iterdir()}


def test_stand_ins_are_there(stocked):
    """Control file and script."""
    assert stocked.keys() >= {"uuid-ossp.control", "uuid-ossp--1.1.sql", "pg_cron.control", "pg_cron--1.6.sql"}


def test_the_real_one_is_not_hidden(stocked):
    """By the stand-in for it."""
    assert [name for name in stocked if name.startswith("pgcrypto")] == []


def test_what_supautils_allows_is_trusted(stocked, system):
    """Its scripts stay where they are."""
    place = str(system).replace("'", "''")
    assert stocked["moddatetime.control"] == f"default_version = '1.0'\ntrusted = true\ndirectory = '{place}'\n"


def test_nothing_else_is_trusted(stocked):
    """A file_fdw would read every file of the server's account."""
    assert "file_fdw.control" not in stocked
