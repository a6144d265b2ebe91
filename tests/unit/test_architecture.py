"""The import direction: app -> client -> services -> repositories -> gateway -> Supabase."""

import ast
import graphlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

GROUND = {"attempts", "audio", "backoff", "deadlines", "errors", "languages", "models", "prices", "results"}
MAY_IMPORT = {
    "attempts": {"backoff", "errors"},
    "audio": {"errors"},
    "backoff": set(),
    "deadlines": set(),
    "errors": set(),
    "languages": set(),
    "models": set(),
    "prices": {"errors", "models"},
    "results": {"models"},
    "timings": set(),
    "config": {"errors"},
    "inputs": GROUND,
    "repositories": GROUND | {"config", "timings", "repositories"},
    "realtime": GROUND | {"realtime"},
    "providers": GROUND | {"config", "providers"},
    "services": GROUND | {"config", "inputs", "realtime", "repositories", "services", "providers"},
    "health": {"realtime"},
    "client": GROUND | {"config", "health", "realtime", "repositories", "services", "timings", "providers"},
    "worker": {"*"},
    "figures": {"*"},
    "demo": {"*"},
    "cli": {"*"},
}
MAY_IMPORT_FOREIGN = {
    "supabase": {"babelroom.repositories._gateway"},
    "postgrest": {"babelroom.repositories._gateway"},
    "realtime": {"babelroom.realtime.socket"},
    "openai": {"babelroom.providers.openai"},
}


def short(value):
    return str(value).removeprefix(f"{SOURCE}/")


def modules(package):
    paths = sorted((SOURCE / package).rglob("*.py"))
    parts = [path.relative_to(SOURCE).with_suffix("").parts for path in paths]
    names = [".".join(part[:-1] if part[-1] == "__init__" else part) for part in parts]
    return list(zip(names, paths, strict=True))


def is_type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(tree, *, lazily=True):
    """The modules that a file names in imports; those for the type checker alone do not count."""
    nodes = list(ast.iter_child_nodes(tree))
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not is_type_checking(node) and (lazily or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            nodes.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize(("module", "path"), modules("babelroom"), ids=short)
def test_babelroom_imports_in_one_direction(module, path):
    """A room imports only rooms below it."""
    if module == "babelroom":
        return
    room = module.split(".")[1]
    used = {name.split(".")[1] for name in imported(ast.parse(path.read_text())) if name.startswith("babelroom.")}
    assert "*" in MAY_IMPORT[room] or used <= MAY_IMPORT[room]


@pytest.mark.parametrize("package", ["babelroom", "supalocal"])
def test_no_two_modules_need_each_other(package):
    """Not even for their types: whoever reads a module reads what it stands on, and never comes back to it."""
    paths = dict(modules(package))
    needs = {}
    for module, path in paths.items():
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        names = [f"{node.module}.{alias.name}" for node in nodes for alias in node.names]
        needs[module] = {name if name in paths else name.rpartition(".")[0] for name in names} & paths.keys() - {module}
    graphlib.TopologicalSorter(needs).prepare()


@pytest.mark.parametrize(("module", "path"), modules("babelroom"), ids=short)
def test_one_module_touches_a_foreign_library(module, path):
    """Whoever replaces supabase-py or openai finds the one place."""
    used = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
    assert {library for library in used if module not in MAY_IMPORT_FOREIGN.get(library, {module})} == set()


@pytest.mark.parametrize("path", [path for _, path in modules("supalocal")], ids=short)
def test_supalocal_does_not_know_babelroom(path):
    """It serves any project: neither imports of ours nor names of our tables."""
    text = path.read_text()
    assert not [name for name in imported(ast.parse(text)) if name.split(".")[0] == "babelroom"]
    assert not [table for table in ("session_participants", "user_activity", "session_revisions") if table in text]


@pytest.mark.parametrize(("module", "path"), modules("babelroom"), ids=short)
def test_only_the_command_line_reaches_supalocal_and_lazily(module, path):
    """The SDK works without the extra [local]."""
    tree = ast.parse(path.read_text())
    assert not [name for name in imported(tree, lazily=False) if name.split(".")[0] == "supalocal"]
    if module.split(".")[1:2] not in (["cli"], ["demo"], ["testing"]):
        assert not [name for name in imported(tree) if name.split(".")[0] == "supalocal"]


@pytest.mark.parametrize("library", ["openai", "rich", "supalocal", "psycopg"])
def test_importing_babelroom_does_not_import(library):
    """What is not needed yet costs no start-up time."""
    script = f"import sys, babelroom; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("package", ["babelroom", "supalocal"])
def test_the_public_face_is_flat_and_complete(package):
    """Every name in __all__ exists, is sorted, and every public import of __init__ is in it."""
    module = importlib.import_module(package)
    assert sorted(module.__all__) == module.__all__
    tree = ast.parse((SOURCE / package / "__init__.py").read_text())
    imports = {name.rpartition(".")[2] for name in imported(tree) if name.startswith(f"{package}.")}
    lazily = set(getattr(module, "_HOMES", ()))
    assert imports | lazily | {"__version__"} == set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
