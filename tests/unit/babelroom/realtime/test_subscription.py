"""A subscription's life: items in, a consumer that may do anything, one end."""

import asyncio
import logging

import pytest

from babelroom.errors import ClientClosed
from babelroom.realtime.subscription import Subscription


@pytest.fixture
async def subscription():
    running = Subscription()
    yield running
    await running.unsubscribe()


async def test_items_come_in_order(subscription):
    """First in, first out."""
    for number in range(3):
        subscription.put(number + 1)
    items = aiter(subscription)
    assert [await anext(items) for _ in range(3)] == [1, 2, 3]


async def test_ending_ends_every_iteration_and_delivers_nothing_more(subscription):
    """Also what was queued already, and for whoever iterates later."""
    reader = asyncio.ensure_future(anext(aiter(subscription)))
    await asyncio.sleep(0)
    await subscription.unsubscribe()
    subscription.put(1)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(reader, 5)
    assert [item async for item in subscription] == []


async def test_a_callback_may_end_its_own_subscription(subscription):
    """And is not cancelled by it."""
    finished = asyncio.Event()

    async def end(_):
        await subscription.unsubscribe()
        finished.set()

    subscription.deliver_to(end)
    subscription.put(1)
    await asyncio.wait_for(finished.wait(), 5)


async def test_a_task_that_dies_is_heard(subscription, caplog):
    """Nothing ends silently; the end of the client is no news."""

    async def die(error):
        raise error

    with caplog.at_level(logging.ERROR, "babelroom"):
        for error in (ClientClosed(), KeyError("surprise")):
            subscription.run(die(error))
        await asyncio.wait(subscription._tasks)
        await asyncio.sleep(0)
    assert len(caplog.records) == 1
    assert "surprise" in caplog.text
