"""A stream's steps: whatever is cancelled or closed amid them, one subscription, and an end."""

import asyncio

import pytest

from babelroom.realtime.status import State, Status
from babelroom.realtime.stream import Stream
from babelroom.realtime.subscription import Subscription


class Opening:
    """Opens a subscription to one number when it may."""

    def __init__(self):
        self.opened = []
        self.may_open = asyncio.Event()

    async def subscribe(self):
        await self.may_open.wait()
        subscription = Subscription(Status("A test."), capacity=9)
        subscription.put(1)
        self.opened.append(subscription)
        return subscription


@pytest.fixture
def opening():
    return Opening()


async def test_a_first_step_that_is_cancelled_leaves_the_opening_to_the_next(opening):
    """What happens from the first step on is told."""
    stream = Stream(opening.subscribe)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.01)
    opening.may_open.set()
    assert await asyncio.wait_for(anext(stream), 5) == 1
    assert len(opening.opened) == 1
    await stream.aclose()


async def test_two_first_steps_at_once_make_one_subscription(opening):
    """And each item comes once."""
    stream = Stream(opening.subscribe)
    steps = [asyncio.ensure_future(anext(stream)) for _ in range(2)]
    opening.may_open.set()
    done, waiting = await asyncio.wait(steps, return_when=asyncio.FIRST_COMPLETED)
    assert ([step.result() for step in done], len(opening.opened)) == ([1], 1)
    await stream.aclose()
    for step in waiting:
        with pytest.raises(StopAsyncIteration):
            await step


async def test_closing_amid_the_first_step_ends_it(opening):
    """Nothing is opened any more."""
    stream = Stream(opening.subscribe)
    step = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(step, 5)
    assert opening.opened == []


async def test_an_opening_that_failed_is_tried_again_by_the_next_step(opening):
    """Its error is the step's."""

    async def refuse():
        raise ConnectionError("no")

    stream = Stream(refuse)
    with pytest.raises(ConnectionError):
        await anext(stream)
    stream._subscribe = opening.subscribe
    opening.may_open.set()
    assert await asyncio.wait_for(anext(stream), 5) == 1
    await stream.aclose()


async def test_a_stream_that_is_dropped_ends_its_subscription(opening):
    """As after `break`."""
    opening.may_open.set()
    async for _ in Stream(opening.subscribe):
        break
    async with asyncio.timeout(5):
        assert [change.state async for change in opening.opened[0].states()][-1] is State.CLOSED
