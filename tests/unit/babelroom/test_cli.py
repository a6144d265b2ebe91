"""The command line's own part: which commands and options there are."""

import pytest

from babelroom.cli import COMMANDS, main


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["sing"],
        ["demo", "--timeout", "soon"],
        ["demo", "--typing", "-1"],
        ["worker", "--concurrency", "0"],
        ["worker", "--lease", "0.1"],
        ["worker", "--lease", "4000"],
    ],
    ids=" ".join,
)
def test_a_malformed_command_exits_2(options, capsys):
    """With the usage."""
    with pytest.raises(SystemExit) as end:
        main(options)
    assert end.value.code == 2
    assert "usage: babelroom" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_what_it_does(command, capsys):
    """With --help."""
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: babelroom {command}" in capsys.readouterr().out
