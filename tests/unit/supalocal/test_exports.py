"""The public face."""

import supalocal


def test_every_public_name_is_there():
    """`__all__` lists what can be imported, sorted as ruff sorts it."""
    assert all(hasattr(supalocal, name) for name in supalocal.__all__)


def test_every_error_is_a_supalocal_error():
    """One `except` catches whatever the stack can refuse."""
    errors = [getattr(supalocal, name) for name in supalocal.__all__ if name.endswith("Error")]
    assert all(issubclass(error, supalocal.SupalocalError) for error in errors)
