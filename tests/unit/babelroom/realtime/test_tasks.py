"""Background tasks that cannot die quietly."""

import asyncio
import logging

from babelroom.deadlines import deadline, limit
from babelroom.errors import ClientClosed
from babelroom.realtime.tasks import Tasks


async def test_one_that_dies_is_started_again_and_counted(caplog):
    """With the error in the log."""
    tasks, tries = Tasks(restart_delay=0), []

    async def work():
        tries.append(None)
        if len(tries) < 3:
            raise KeyError("surprise")

    with caplog.at_level(logging.ERROR, "babelroom"):
        await asyncio.wait_for(tasks.start(work, "the test"), 5)
    assert (len(tries), tasks.restarts) == (3, 2)
    assert "surprise" in caplog.text


async def test_one_that_meets_the_end_of_its_client_is_not():
    """That is no surprise."""
    tasks = Tasks()

    async def work():
        raise ClientClosed

    await asyncio.wait_for(tasks.start(work, "the test"), 5)
    assert tasks.restarts == 0


async def test_ending_waits_until_all_have_ended():
    """Also for one that tidies up."""
    tasks, tidied = Tasks(), []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append(None)

    running = [tasks.start(work, "the test") for _ in range(3)]
    await asyncio.sleep(0)
    await tasks.end()
    assert len(tidied) == 3
    assert all(task.done() for task in running)


async def test_a_task_outlives_the_deadline_that_it_was_started_under():
    """It is not the caller's call any more."""
    tasks, seen = Tasks(), []

    async def work():
        seen.append(limit(10.0))

    with deadline(0.1):
        await tasks.start(work, "the test")
    assert seen == [10.0]
