"""Replays what the real Realtime answered, with the recordings' own replay script."""

import argparse
import contextlib
import importlib.util
import json
import os
from pathlib import Path

import psycopg
import pytest
from support import servers

import supalocal

HERE = Path(os.environ.get("REALTIME_RECORDINGS") or Path(__file__).parents[3] / "shared" / "golden" / "realtime")
# Seconds without a frame after which a case counts as delivered; a mismatch is tried once more with the longer wait.
SETTLE, PATIENT_SETTLE = 0.08, 0.5
RECORDED_ON, BUNDLED = 15, 18


def recordings(name):
    path = HERE / name
    lines = path.read_text().split("\n") if path.exists() else []
    cases = [json.loads(line) for line in lines if line]
    missing = pytest.param(
        None, marks=pytest.mark.skip(f"The recordings are missing: there is no {path.name} beside the checkout.")
    )
    return [pytest.param(case, id=case["name"]) for case in cases] or [missing]


@pytest.fixture(scope="module")
def replay():
    """The recordings' replay script."""
    spec = importlib.util.spec_from_file_location("realtime_replay", HERE / "replay.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=[RECORDED_ON, BUNDLED])
def version(request):
    """The Postgres version that the recordings were made on, and the one that supalocal brings."""
    return request.param


@pytest.fixture(scope="module")
def recorded_stack(version):
    """A Supabase with the recordings' schema."""
    with contextlib.ExitStack() as opened:
        url = None
        if version != BUNDLED:
            try:
                servers.installation(version)
            except servers.ServerMissing as missing:
                pytest.skip(str(missing))
            server = opened.enter_context(servers.running(version))
            server.create("recordings")
            url = server.url(servers.SUPERUSER, "recordings")
        stack = opened.enter_context(supalocal.Stack(db_url=url).running())
        with psycopg.connect(stack.admin_db_url, autocommit=True) as db:
            db.execute((HERE / "schema.sql").read_text())
        yield stack


@pytest.fixture(scope="module")
async def db(recorded_stack):
    async with await psycopg.AsyncConnection.connect(recorded_stack.admin_db_url, autocommit=True) as connection:
        yield connection


def arguments(stack, settle):
    url = stack.url.replace("http", "ws") + "/realtime/v1/websocket"
    return argparse.Namespace(ws=url, apikey=None, secret=stack.keys.jwt_secret, settle=settle)


@pytest.mark.parametrize("case", recordings("cases.jsonl"))
async def test_changes_are_delivered_as_recorded(case, replay, recorded_stack, db):
    """Every binding receives the recorded payloads, in order, and nothing else."""
    problems = await replay.replay(case, arguments(recorded_stack, SETTLE), db)
    if problems:
        problems = await replay.replay(case, arguments(recorded_stack, PATIENT_SETTLE), db)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("case", recordings("subscribe_errors.jsonl"))
async def test_bad_bindings_are_refused_as_recorded(case, replay, recorded_stack):
    """The system message is the recorded one, to the letter."""
    problems = await replay.refuse(case, arguments(recorded_stack, SETTLE))
    assert not problems, "\n".join(problems)
