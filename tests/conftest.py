"""What all tests share: one local Supabase with this project's migrations, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

import supalocal
from babelroom import Babelroom, Session

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if a test is skipped")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped") if reporter else None
    if session.config.getoption("--no-skips") and skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def stack() -> Iterator[supalocal.Stack]:
    """One Supabase for the whole run; a test keeps to sessions of its own."""
    with supalocal.Stack(project=ROOT, seed=False).running() as running:
        yield running


@pytest.fixture(scope="session")
def bare_stack() -> Iterator[supalocal.Stack]:
    """A Supabase without a project: no migrations."""
    with supalocal.Stack().running() as running:
        yield running


@pytest.fixture
def database(stack: supalocal.Stack) -> Iterator[psycopg.Connection]:
    """The database behind the stack, as its owner."""
    with psycopg.connect(stack.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def room(stack: supalocal.Stack) -> AsyncIterator[Babelroom]:
    """A client with the public key."""
    async with Babelroom.connect(url=stack.url, key=stack.publishable_key) as client:
        yield client


@pytest.fixture
async def partner(stack: supalocal.Stack) -> AsyncIterator[Babelroom]:
    """A second client: another connection, nothing shared."""
    async with Babelroom.connect(url=stack.url, key=stack.anon_key) as client:
        yield client


@pytest.fixture
def user() -> UUID:
    return uuid4()


@pytest.fixture
async def session(room: Babelroom) -> Session:
    """A session of the test's own, with nobody in it."""
    return await room.sessions.create_session()


@pytest.fixture
async def free_code(room: Babelroom, database: psycopg.Connection) -> str:
    """A code that no session has, nor ever had."""
    code = await room.sessions.generate_session_code()
    database.execute("delete from sessions where code = %s", [code])
    return code
