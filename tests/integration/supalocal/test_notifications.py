"""Notifications wake who waits for them, whenever they come, and nothing else does."""

import asyncio
import contextlib

import psycopg
import pytest

from supalocal.notifications import notified


@pytest.fixture
async def listening(authenticator):
    await authenticator.execute("listen news")
    return authenticator


async def test_one_that_comes_later_is_waited_for(listening, postgres):
    """It ends the waiting, and is taken: the next waiting is for another."""
    for _ in range(2):
        waiting = asyncio.create_task(notified(listening))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.2)
        assert not waiting.done()
        await postgres.execute("notify news")
        await asyncio.wait_for(waiting, 5)


async def test_one_that_came_with_another_answer_is_not_missed(listening, postgres):
    """What arrived while the connection ran a statement was read from the socket already."""
    await postgres.execute("notify news")
    await listening.execute("select 1")
    await asyncio.wait_for(notified(listening), 5)


async def test_the_end_of_the_connection_is_told(listening, postgres):
    """Nobody waits for ever."""
    waiting = asyncio.create_task(notified(listening))
    await asyncio.sleep(0)
    pid = listening.info.backend_pid
    await postgres.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid = %s", [pid])
    with pytest.raises(psycopg.OperationalError):
        await asyncio.wait_for(waiting, 5)
