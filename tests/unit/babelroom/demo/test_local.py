"""The local Supabase of the demo: where the migrations are, and what its absence reads like."""

import sys

import pytest

from babelroom.demo.local import LocalUnavailable, local_supabase, supabase_folder


@pytest.fixture
def checkout(tmp_path):
    """A checkout of babelroom."""
    (tmp_path / "checkout" / "supabase" / "migrations").mkdir(parents=True)
    (tmp_path / "checkout" / "src" / "babelroom").mkdir(parents=True)
    return tmp_path / "checkout"


@pytest.fixture
def elsewhere(tmp_path):
    """Another Supabase project, with no sources of babelroom."""
    (tmp_path / "other" / "supabase" / "migrations").mkdir(parents=True)
    return tmp_path / "other"


def test_the_checkout_that_the_code_runs_from_comes_first(checkout, elsewhere):
    """Wherever the command is called."""
    module = checkout / "src" / "babelroom" / "demo" / "local.py"
    assert supabase_folder(module=module, here=elsewhere) == checkout / "supabase"


def test_an_installed_package_finds_the_checkout_we_are_in(checkout, elsewhere):
    """From any folder of it."""
    module = elsewhere / "site-packages" / "babelroom" / "demo" / "local.py"
    assert supabase_folder(module=module, here=checkout / "src") == checkout / "supabase"


def test_another_projects_migrations_are_not_taken(elsewhere):
    """What to do is said instead."""
    with pytest.raises(LocalUnavailable, match="Run this inside a checkout, or set SUPABASE_URL"):
        supabase_folder(module=elsewhere / "local.py", here=elsewhere)


async def test_without_supalocal_it_says_what_to_install(monkeypatch):
    """The extra [local] is missing."""
    monkeypatch.setitem(sys.modules, "supalocal", None)
    with pytest.raises(LocalUnavailable, match=r"pip install 'babelroom\[local\]', or set SUPABASE_URL"):
        async with local_supabase():
            pass
