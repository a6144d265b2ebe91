"""The recorded answers of a real PostgREST, asked again of supalocal."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest

import supalocal

RECORDINGS = Path(os.environ.get("SUPALOCAL_REST_RECORDINGS") or Path(__file__).parents[3] / "shared/golden/rest")
CONFIG = '[api]\nschemas = ["public", "reporting"]\nextra_search_path = ["public", "extensions"]\nmax_rows = 1000\n'
NO_XML = "The bundled Postgres has no libxml, so the rows of `samples` are not there; the real PostgREST misses it too."
KNOWN_MISSES = {
    "select/all-types-full-row": NO_XML,
    "select/all-types-awkward-values": NO_XML,
    "select/array-element-arrow": NO_XML,
    "json/path-through-a-list-of-objects": NO_XML,
    "array_range/array-equality": NO_XML,
    "array_range/array-with-quotes": NO_XML,
    "array_range/range-contained": NO_XML,
    "prefer/timezone-unknown": NO_XML,
}

pytestmark = pytest.mark.skipif(
    not (RECORDINGS / "cases.jsonl").exists(),
    reason=f"The recordings are not at {RECORDINGS}; set SUPALOCAL_REST_RECORDINGS to where they are.",
)


@pytest.fixture(scope="module")
def tokens() -> dict[str, Any]:
    return json.loads((RECORDINGS / "jwt.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def replay() -> ModuleType:
    """The recordings' own tool: how to send a case and how to compare its answer."""
    spec = importlib.util.spec_from_file_location("rest_replay", RECORDINGS / "replay.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def recorded_stack(tokens: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[supalocal.Stack]:
    """A stack with the settings, secret and schema of the recordings."""
    project = tmp_path_factory.mktemp("recorded")
    (project / "config.toml").write_text(f"{CONFIG}auto_expose_new_tables = false\n")
    with supalocal.Stack(project, jwt_secret=tokens["secret"]).running() as stack:
        with psycopg.connect(stack.admin_db_url, autocommit=True) as connection:
            connection.execute((RECORDINGS / "schema.sql").read_bytes())
        yield stack


@pytest.fixture(scope="module")
def database(recorded_stack: supalocal.Stack) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(recorded_stack.admin_db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def data(database: psycopg.Connection[Any]) -> bytes:
    """The statements that put the data back, without the one that needs libxml where it is missing."""
    statements = (RECORDINGS / "data.sql").read_text("utf-8").split(";\n")
    with_xml = next(statement for statement in statements if "insert into samples" in statement)
    try:
        database.execute(b"select xmlparse(content '')")
    except psycopg.errors.FeatureNotSupported:
        statements.remove(with_xml)
    return ";\n".join(statements).encode()


def cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDINGS / "cases.jsonl").read_text("utf-8").splitlines()]


def test_answers_are_postgrests(
    recorded_stack: supalocal.Stack,
    database: psycopg.Connection[Any],
    data: bytes,
    replay: ModuleType,
    tokens: dict[str, Any],
):
    """Every recorded request gets the recorded status, headers and body, save the known misses."""
    missed = {}
    for number, case in enumerate(cases()):
        if number == 0:
            database.execute(data)
        elif case["reset"]:
            # Statistics matter only to the reads that count, which come first.
            database.execute(data.replace(b"analyze", b""))
        answer = replay.send(f"{recorded_stack.url}/rest/v1", case, tokens["tokens"])
        problems, _ = replay.compare(case, answer)
        if any(problems.values()):
            missed[case["name"]] = problems
    assert missed.keys() == KNOWN_MISSES.keys(), {
        name: missed.get(name) for name in missed.keys() ^ KNOWN_MISSES.keys()
    }
