"""The founding spec's connection test, and what it left out."""

import logging

import pytest

from babelroom import Babelroom, ClientClosed, MissingCredentials, Settings, check_supabase_connection


async def test_should_connect_to_supabase(room):
    """A project with the migrations answers."""
    assert await room.check_supabase_connection()
    assert room.health().is_connected


async def test_the_function_form_reads_the_environment(stack, monkeypatch):
    """check_supabase_connection() takes the project of the environment."""
    monkeypatch.setenv("SUPABASE_URL", stack.url)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", stack.publishable_key)
    assert await check_supabase_connection()


async def test_an_unreachable_server_is_no_exception(unused_tcp_port, caplog):
    """It answers False; the reason is logged and in health()."""
    async with Babelroom.connect(url=f"http://127.0.0.1:{unused_tcp_port}", key="sb_publishable_x") as room:
        with caplog.at_level(logging.WARNING, "babelroom"):
            assert not await room.check_supabase_connection()
        assert "SUPABASE_URL" in room.health().reason
        assert "SUPABASE_URL" in caplog.text


async def test_a_project_without_the_migrations_is_told_apart(bare_stack):
    """A missing table says what to do."""
    async with Babelroom.connect(url=bare_stack.url, key=bare_stack.publishable_key) as room:
        assert not await room.check_supabase_connection()
        assert "supabase db push" in room.health().reason


async def test_missing_credentials_fail_at_the_call(monkeypatch, tmp_path):
    """Dummy values let an app start; nothing is sent to anywhere."""
    monkeypatch.chdir(tmp_path)
    for name in ("SUPABASE_URL", "VITE_SUPABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.warns(UserWarning, match="SUPABASE_URL"):
        settings = Settings.load()
    async with Babelroom(settings) as room:
        assert not await room.check_supabase_connection()
        with pytest.raises(MissingCredentials):
            await room.sessions.create_session()


async def test_a_closed_client_says_so(stack):
    """Use after close is a mistake of the program."""
    room = Babelroom.connect(url=stack.url, key=stack.publishable_key)
    await room.close()
    await room.close()
    with pytest.raises(ClientClosed):
        await room.sessions.create_session()


async def test_timings_are_kept_by_operation(room):
    """The caller can read how long each operation took."""
    await room.sessions.create_session()
    timing = room.timings()["sessions.create"]
    assert (timing.calls, timing.failures, timing.retries) == (1, 0, 0)
    assert timing.max > 0


async def test_the_function_form_never_raises(monkeypatch, caplog):
    """A malformed URL is a reason like any other."""
    monkeypatch.setenv("SUPABASE_URL", "not an address")
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_x")
    with caplog.at_level(logging.WARNING, "babelroom"):
        assert not await check_supabase_connection()
    assert "without a path" in caplog.text


async def test_a_closed_client_is_not_connected(stack):
    """Asking is no mistake."""
    room = Babelroom.connect(url=stack.url, key=stack.publishable_key)
    await room.close()
    assert not await room.check_supabase_connection()
