"""A follower of partials: what comes is handed on, what is none is dropped, and an outage is told for what it is."""

import asyncio
import logging
from uuid import UUID, uuid4

import pytest

from babelroom import inputs
from babelroom.realtime.partial_feed import MESSAGES
from babelroom.realtime.partial_follower import CAPACITY, PartialFollower
from babelroom.realtime.socket import Broadcast, Lost
from babelroom.realtime.status import State, StateChange, Status
from babelroom.realtime.subscription import Subscription

MESSAGE = uuid4()


class Following:
    """A follower, and the subscription that it fills."""

    def __init__(self):
        status = Status("It is being opened.")
        self.subscription = Subscription(status, CAPACITY)
        self.follower = PartialFollower(self.subscription, status, inputs.partial)

    def hear(self, number, text, message_id=MESSAGE, changed=()):
        payload = {
            "message_id": str(message_id), "user_id": str(MESSAGE), "number": number, "text": text, "source": "en",
            "target": "es",
        }  # fmt: skip
        self.follower.on_event(Broadcast(payload | dict(changed)))

    async def texts(self, count):
        async with asyncio.timeout(5):
            return [(await anext(self.subscription)).text for _ in range(count)]


@pytest.fixture
async def following():
    made = Following()
    yield made
    await made.subscription.unsubscribe()


async def test_it_hands_on_what_comes(following):
    """To whoever waits for it."""
    waiting = asyncio.ensure_future(following.texts(2))
    await asyncio.sleep(0)
    following.hear(1, "Ho")
    await asyncio.sleep(0)
    following.hear(2, "Hola")
    assert await waiting == ["Ho", "Hola"]


async def test_a_slow_reader_gets_the_first_and_the_latest(following):
    """What lies between was left out."""
    for number in range(1, 101):
        following.hear(number, "x" * number)
    assert await following.texts(2) == ["x", "x" * 100]
    assert following.subscription.room == CAPACITY


async def test_a_flood_of_messages_is_held_a_hundred_of(following):
    """And the subscription's own."""
    for number in range(1_000):
        following.hear(1, f"{number}", UUID(int=number))
    assert await following.texts(1 + MESSAGES) == ["0", *(f"{number}" for number in range(900, 1_000))]
    following.hear(1, "the last", UUID(int=1_000))
    assert await following.texts(1) == ["the last"]


@pytest.mark.parametrize(
    "changed",
    [
        {"number": "three"}, {"number": 0}, {"number": 10**30}, {"text": ""}, {"text": "x" * 40_001}, {"text": "a\0"},
        {"text": "\ud83d"}, {"text": None}, {"source": "english"}, {"target": "x" * 100_000}, {"message_id": "7"},
        {"user_id": {}},
    ],
)  # fmt: skip
async def test_what_is_no_partial_is_dropped(following, caplog, changed):
    """By shape or size; one log line tells, however much of it comes, and what is one comes."""
    with caplog.at_level(logging.INFO, "babelroom"):
        for _ in range(3):
            following.hear(1, "Ho", changed=changed)
    following.hear(2, "Hola")
    assert await following.texts(1) == ["Hola"]
    (record,) = caplog.records
    assert len(record.getMessage()) < 500


async def test_a_field_of_a_later_release_does_no_harm(following):
    """It is passed over."""
    following.hear(1, "Ho", changed={"mood": "cheerful"})
    assert await following.texts(1) == ["Ho"]


async def test_its_states_say_that_partials_are_lost(following):
    """Live, or disconnected: nothing is caught up on or polled for."""
    states = following.subscription.states()
    seen = [await anext(states)]
    following.follower.on_flowing()
    following.follower.on_lost(Lost("The connection ended."))
    following.follower.on_flowing()
    seen += [await anext(states) for _ in range(3)]
    assert seen == [
        StateChange(State.CONNECTING, "It is being opened."),
        StateChange(State.LIVE, "Partial translations come as they are sent."),
        StateChange(
            State.DISCONNECTED,
            "Partial translations are lost meanwhile; the messages come without them. The connection ended.",
        ),
        StateChange(State.LIVE, "Partial translations come as they are sent."),
    ]


async def test_it_knows_how_old_the_last_event_is(following):
    """None before the first one."""
    assert following.follower.last_event_age is None
    following.hear(1, "Ho")
    assert 0 <= following.follower.last_event_age < 5
