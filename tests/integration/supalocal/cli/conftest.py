"""A project, and the command on it."""

import subprocess

import pytest
from support.commands import FREE, SUPALOCAL, started


@pytest.fixture
def project(tmp_path):
    """A project with one table and one row."""
    root = tmp_path / "project"
    (root / "supabase/migrations").mkdir(parents=True)
    (root / "supabase/migrations/20240101000000_notes.sql").write_text(
        "create table notes (id int primary key, t text); grant select on notes to anon;"
    )
    (root / "supabase/seed.sql").write_text("insert into notes values (1, 'seed');")
    return root


@pytest.fixture
def ask(project):
    """Run a command on the project to its end."""

    def ask(*arguments, **options):
        command = [*SUPALOCAL, *arguments, "--project", str(project)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)

    return ask


@pytest.fixture
async def running(project):
    """A running stack of the project; its process and what it told."""
    async with started("--project", str(project), *FREE) as (process, told):
        yield process, told
