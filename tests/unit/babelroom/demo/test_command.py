"""Which screen the demo has."""

import io
import sys

from babelroom.demo.command import _screen
from babelroom.demo.panes import Panes
from babelroom.demo.screen import PlainScreen


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_both_sides_live(monkeypatch):
    """With rich."""
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert isinstance(_screen(("en", "es")), Panes)


def test_without_a_terminal_lines_are_plain(monkeypatch):
    """For a file or a pipe."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert isinstance(_screen(("en", "es")), PlainScreen)


def test_without_rich_lines_are_plain_and_say_why(monkeypatch):
    """The extra [cli] is missing."""
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert isinstance(_screen(("en", "es")), PlainScreen)
    assert "pip install 'babelroom[cli]'" in sys.stdout.getvalue()
