"""The recorded answers of a real PostgREST, asked again of supalocal."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from support import servers

import supalocal

RECORDINGS = Path(os.environ.get("SUPALOCAL_REST_RECORDINGS") or Path(__file__).parents[3] / "shared/golden/rest")
CONFIG = '[api]\nschemas = ["public", "reporting"]\nextra_search_path = ["public", "extensions"]\nmax_rows = 1000\n'
NO_XML = "The bundled Postgres has no libxml, so the rows of `samples` are not there; the real PostgREST misses it too."
RECORDED_ON, BUNDLED = 15, 18
MISSED_WITHOUT_XML = {
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


@pytest.fixture(scope="module", params=[RECORDED_ON, BUNDLED])
def version(request: pytest.FixtureRequest) -> int:
    """The Postgres version that the recordings were made on, and the one that supalocal brings."""
    return request.param


@pytest.fixture(scope="module")
def recorded_stack(
    version: int, tokens: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[supalocal.Stack]:
    """A stack with the settings, secret and schema of the recordings."""
    project = tmp_path_factory.mktemp("recorded")
    (project / "config.toml").write_text(f"{CONFIG}auto_expose_new_tables = false\n")
    with (
        _server(version) as db_url,
        supalocal.Stack(project, jwt_secret=tokens["secret"], db_url=db_url).running() as stack,
    ):
        with psycopg.connect(stack.admin_db_url, autocommit=True) as connection:
            connection.execute((RECORDINGS / "schema.sql").read_bytes())
        yield stack


@contextmanager
def _server(version: int) -> Iterator[str | None]:
    """The URL of a server of that version; None lets the stack start its own."""
    if version == BUNDLED:
        yield None
        return
    try:
        servers.installation(version)
    except servers.ServerMissing as missing:
        pytest.skip(str(missing))
    with servers.running(version) as running:
        yield running.url(servers.SUPERUSER)


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
    version: int,
    recorded_stack: supalocal.Stack,
    database: psycopg.Connection[Any],
    data: bytes,
    replay: ModuleType,
    tokens: dict[str, Any],
):
    """Every recorded request gets its recorded status, headers and body, save those that need libxml."""
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
    known = MISSED_WITHOUT_XML if version == BUNDLED else {}
    assert missed.keys() == known.keys(), {name: missed.get(name) for name in missed.keys() ^ known.keys()}
