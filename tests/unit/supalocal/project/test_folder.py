"""A supabase folder is read as the Supabase CLI reads it."""

import pytest

from supalocal.errors import ProjectError
from supalocal.project import Config, Project


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "supabase"
    (made / "migrations").mkdir(parents=True)
    return made


def test_the_folder_and_its_parent_are_the_same_project(folder):
    """A project may be named by its supabase folder or by the directory that holds it."""
    assert Project.read(folder) == Project.read(folder.parent) == Project(folder, Config())


def test_an_empty_folder_is_a_project(tmp_path):
    """Its name says what it is for; a first migration may come later."""
    (tmp_path / "supabase").mkdir()
    project = Project.read(tmp_path)
    assert project == project.read_again() == Project(tmp_path / "supabase", Config())


@pytest.mark.parametrize("path", [".", "supabase"])
def test_a_directory_without_a_project_is_refused(tmp_path, path):
    """A wrong path is an error that names it."""
    with pytest.raises(ProjectError, match=str(tmp_path / path)):
        Project.read(tmp_path / path)


def test_migrations_come_in_the_order_of_their_versions(folder):
    """Files that are not named version_name.sql are passed over."""
    for name in ("20240202000000_b.sql", "20240101000000_a_one.sql", "README.md", "draft.sql", "20240303000000.sql"):
        (folder / "migrations" / name).touch()
    assert [(found.version, found.name) for found in Project.read(folder).migrations()] == [
        ("20240101000000", "a_one"),
        ("20240202000000", "b"),
    ]


def test_the_schema_that_old_versions_of_the_cli_wrote_is_skipped(folder):
    """It holds Supabase's own schemas, and is passed over only where it comes first."""
    for name in ("20211208000000_init.sql", "20211208000001_init.sql", "20240101000000_init.sql"):
        (folder / "migrations" / name).touch()
    assert [found.version for found in Project.read(folder).migrations()] == ["20211208000001", "20240101000000"]


def test_two_migrations_of_one_version_are_refused(folder):
    """The second of them could never be recorded."""
    for name in ("20240101000000_a.sql", "20240101000000_b.sql"):
        (folder / "migrations" / name).touch()
    with pytest.raises(ProjectError, match=r"20240101000000_a.sql and 20240101000000_b.sql"):
        Project.read(folder).migrations()


def test_seed_files_follow_their_patterns(folder):
    """Patterns are relative to the folder, in their order, and each file runs once."""
    (folder / "seeds").mkdir()
    for name in ("seed.sql", "seeds/b.sql", "seeds/a.sql"):
        (folder / name).touch()
    (folder / "config.toml").write_text("[db.seed]\nsql_paths = ['./seeds/*.sql', './seed.sql', 'seeds/a.sql']")
    assert Project.read(folder).seeds() == [folder / "seeds/a.sql", folder / "seeds/b.sql", folder / "seed.sql"]


def test_a_seed_file_may_lie_anywhere(folder, tmp_path):
    """By an absolute path, or one that leads out of the folder; directories are none."""
    (tmp_path / "else where").mkdir()
    (tmp_path / "else where/a.sql").touch()
    (tmp_path / "b.sql").touch()
    absolute = str(tmp_path / "else where/*")
    (folder / "config.toml").write_text(f"[db.seed]\nsql_paths = ['{absolute}', '../*']")
    assert Project.read(folder).seeds() == [tmp_path / "else where/a.sql", tmp_path / "b.sql"]


def test_no_project_has_nothing_to_apply():
    """A stack without a project has neither migrations nor seeds."""
    assert (Project().migrations(), Project().seeds()) == ([], [])
