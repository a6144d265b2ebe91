"""A subscription's life: items in, a consumer that may do anything, one end."""

import asyncio

import pytest

from babelroom.realtime.status import State, Status
from babelroom.realtime.subscription import Subscription


@pytest.fixture
async def subscription():
    running = Subscription(Status("It is being opened."), capacity=3)
    yield running
    await running.unsubscribe()


async def test_items_come_in_order(subscription):
    """First in, first out."""
    for number in range(3):
        subscription.put(number)
    assert [await anext(subscription) for _ in range(3)] == [0, 1, 2]


async def test_a_wait_that_is_cancelled_loses_nothing(subscription):
    """The item is there the next time, and the iteration goes on."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(subscription), 0.01)
    waiting = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0)
    subscription.put(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await anext(subscription) == 1


async def test_it_says_how_much_room_it_has(subscription):
    """And tells whoever fills it when there is more."""
    taken = asyncio.Event()
    subscription.on_taken = taken.set
    for number in range(3):
        subscription.put(number)
    assert subscription.room == 0
    await anext(subscription)
    assert taken.is_set()
    assert subscription.room == 1


async def test_ending_ends_every_iteration_and_delivers_nothing_more(subscription):
    """Also what was queued already, and for whoever iterates later."""
    readers = [asyncio.ensure_future(anext(subscription)) for _ in range(2)]
    await asyncio.sleep(0)
    await subscription.unsubscribe()
    subscription.put(1)
    for reader in readers:
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(reader, 5)
    assert [item async for item in subscription] == []
    assert subscription.state is State.CLOSED


async def test_finishing_delivers_what_is_there(subscription):
    """Then the iteration ends."""
    subscription.put(1)
    subscription.finish("Nothing more can come.")
    assert [item async for item in subscription] == [1]
    assert subscription.current.reason == "Nothing more can come."


async def test_a_callback_may_end_its_own_subscription(subscription):
    """And is not cancelled by it."""
    finished = asyncio.Event()

    async def end(_):
        await subscription.unsubscribe()
        finished.set()

    subscription.deliver_to(end)
    subscription.put(1)
    await asyncio.wait_for(finished.wait(), 5)


async def test_ending_waits_for_a_callback_under_way(subscription):
    """Which is cancelled: nothing of it runs afterwards."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def work(_):
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    subscription.deliver_to(work)
    subscription.put(1)
    await started.wait()
    await subscription.unsubscribe()
    assert ended.is_set()
