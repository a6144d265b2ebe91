"""Machines with apertium and without it."""

import pytest


@pytest.fixture
def without_apertium(monkeypatch, tmp_path):
    """A path without the command."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def with_apertium(monkeypatch, tmp_path):
    """A command that knows one pair of languages."""
    command = tmp_path / "apertium"
    command.write_text("#!/bin/sh\n[ \"$1\" = -l ] && echo '  eng-spa' || printf 'hola.[][\\n]'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
