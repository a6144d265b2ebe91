"""What a follower makes of events, fetches and losses: everything once, and a state that is true."""

import asyncio
import math
import time

import pytest

from babelroom.errors import ConnectionFailed, SessionNotFound, SubscribeFailed
from babelroom.realtime.follower import Follower, Patience
from babelroom.realtime.socket import Change, Lost
from babelroom.realtime.status import State, Status
from babelroom.realtime.subscription import Subscription
from babelroom.realtime.tasks import Tasks

AWAY = Lost("The wire was cut.")


class Numbers:
    """A Source of the numbers 1, 2, 3 ... `last` is what the database has; each fetch brings at most three."""

    def __init__(self):
        self.last = self.cursor = 0
        self.pending = []
        self.is_behind = self.is_finished = False
        self.failures = []
        self.fetches = 0
        self.fetched = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()
        self.due_at = math.inf

    @property
    def has_more(self):
        return bool(self.pending)

    def write(self):
        self.last += 1
        return Change(record={"number": self.last})

    def take(self, change):
        if change.record["number"] != self.cursor + 1:
            self.ring()
        else:
            self._absorb(1)

    def ring(self):
        self.is_behind = True

    async def fetch(self):
        self.fetches += 1
        self.fetched.set()
        await self.answers.wait()
        if self.failures:
            raise self.failures.pop(0)
        missing = min(3, self.last - self.cursor)
        self._absorb(missing)
        self.is_behind = self.cursor < self.last
        return missing > 0

    def hand_out(self, room):
        if time.monotonic() >= self.due_at:
            self.due_at = math.inf
            self.pending.append("due")
        out, self.pending = self.pending[:room], self.pending[room:]
        return out

    def due(self):
        return self.due_at

    def _absorb(self, count):
        self.pending += range(self.cursor + 1, self.cursor + count + 1)
        self.cursor += count


class Following:
    """A follower at work, and what it asked for."""

    def __init__(self, tasks, **options):
        self.source = Numbers()
        self.status = Status("It is being opened.")
        self.subscription = Subscription(self.status, options.pop("capacity", 100))
        self.renewals = asyncio.Queue()
        self.follower = Follower(
            self.subscription,
            self.status,
            self.source,
            **{"poll_interval": 0.02, "renew": self.renewals.put_nowait, "patience": Patience(60, 60)} | options,
        )
        self.task = tasks.start(self.follower.run, "the test")

    async def told(self, count):
        async with asyncio.timeout(5):
            return [await anext(self.subscription) for _ in range(count)]

    async def reach(self, state):
        async with asyncio.timeout(5):
            async for change in self.status.changes():
                if change.state is state:
                    return change.reason
        raise AssertionError(f"It was closed and never {state}")


@pytest.fixture
async def follow():
    tasks = Tasks()
    yield lambda **options: Following(tasks, **options)
    await tasks.end()


@pytest.fixture
async def live(follow):
    following = follow()
    following.follower.on_flowing()
    await following.reach(State.LIVE)
    return following


async def test_it_is_open_when_changes_flow_and_live_when_nothing_is_missing(follow):
    """What was committed before is fetched first."""
    following = follow()
    following.source.last = 5
    assert not following.follower.opened.done()
    following.follower.on_flowing()
    assert following.follower.opened.done()
    assert following.status.current.state is State.CATCHING_UP
    await following.reach(State.LIVE)
    assert await following.told(5) == [1, 2, 3, 4, 5]


async def test_an_event_in_its_turn_is_told_at_once(live):
    """Before anything else runs, and without a fetch."""
    fetches = live.source.fetches
    live.follower.on_event(live.source.write())
    assert live.subscription.room == 99
    assert (await live.told(1), live.source.fetches) == ([1], fetches)


async def test_an_event_out_of_its_turn_costs_a_fetch(live):
    """Which is counted as a gap that was repaired; the state stays live."""
    live.source.write()
    live.follower.on_event(live.source.write())
    assert await live.told(2) == [1, 2]
    assert live.follower.gaps_repaired == 1
    assert live.status.current.state is State.LIVE


async def test_while_realtime_is_away_it_polls(live):
    """And says so, with the reason; when changes flow again it goes back."""
    live.follower.on_lost(AWAY)
    assert live.status.current.state is State.DISCONNECTED
    live.source.write()
    assert await live.told(1) == [1]
    assert "wire was cut" in await live.reach(State.POLLING)
    live.follower.on_flowing()
    await live.reach(State.LIVE)


async def test_another_failed_attempt_does_not_end_the_polling(live):
    """Its state flickers for nobody."""
    live.follower.on_lost(AWAY)
    await live.reach(State.POLLING)
    live.follower.on_lost(Lost("The connection could not be opened."))
    assert live.status.current.state is State.POLLING


async def test_what_never_flowed_is_open_by_polls(follow):
    """As soon as Realtime is known to be away and REST answers."""
    following = follow()
    following.follower.on_lost(AWAY)
    await asyncio.wait_for(following.follower.opened, 5)
    assert following.status.current.state is State.POLLING


async def test_polls_grow_rare_when_nothing_happens(live):
    """And frequent again with the first news."""
    live.follower.on_lost(AWAY)
    waits = []
    for _ in range(9):
        live.source.fetched.clear()
        start = asyncio.get_running_loop().time()
        await asyncio.wait_for(live.source.fetched.wait(), 5)
        waits.append(asyncio.get_running_loop().time() - start)
    assert max(waits[6:]) > 2 * min(waits[:3])


async def test_what_is_due_is_told_while_a_fetch_waits(live):
    """The clock alone tells it."""
    live.source.answers.clear()
    live.source.fetched.clear()
    live.source.ring()
    live.follower.on_flowing()
    await asyncio.wait_for(live.source.fetched.wait(), 5)
    live.source.due_at = time.monotonic()
    assert await live.told(1) == ["due"]


async def test_where_nothing_answers_it_says_so_and_goes_on(live):
    """Fetches are repeated until one succeeds."""
    live.follower.on_lost(AWAY)
    await live.reach(State.POLLING)
    live.source.failures = [ConnectionFailed("no answer"), OSError("no answer either")]
    live.source.write()
    assert "no answer" in await live.reach(State.DISCONNECTED)
    await live.reach(State.POLLING)
    assert await live.told(1) == [1]


async def test_while_what_is_missing_cannot_be_fetched_it_is_not_live(live):
    """Though changes flow."""
    live.source.failures = [ConnectionFailed("no answer")]
    live.source.write()
    live.follower.on_event(live.source.write())
    assert "no answer" in await live.reach(State.CATCHING_UP)
    assert await live.told(2) == [1, 2]
    await live.reach(State.LIVE)


async def test_what_is_due_behind_a_full_reader_comes_when_there_is_room(follow):
    """Not only at the next look."""
    following = follow(capacity=1)
    following.follower.on_flowing()
    await following.reach(State.LIVE)
    following.source.due_at = time.monotonic() + 0.05
    following.follower.on_event(following.source.write())
    await asyncio.sleep(following.source.due_at - time.monotonic())
    assert await following.told(2) == [1, "due"]


async def test_a_task_that_is_started_again_looks_for_what_it_may_have_lost(live):
    """Whatever ended it."""
    live.task.cancel()
    await asyncio.wait([live.task])
    live.source.write()
    again = asyncio.ensure_future(live.follower.run())
    assert await live.told(1) == [1]
    again.cancel()


async def test_a_refusal_while_opening_is_told(follow):
    """Trying on would only hide the mistake. Later it is a loss like any other."""
    following = follow()
    following.follower.on_lost(Lost("CHANNEL_ERROR: no such table", is_refusal=True))
    with pytest.raises(SubscribeFailed, match="no such table"):
        await following.follower.opened


async def test_what_rest_refuses_while_opening_is_told(follow):
    """Such as a session that is not there."""
    following = follow()
    following.source.failures = [SessionNotFound()]
    following.source.ring()
    with pytest.raises(SessionNotFound):
        await asyncio.wait_for(following.follower.opened, 5)


async def test_a_reader_that_is_behind_gets_everything_in_order(follow):
    """The subscription holds what it may; the rest stays in the database until there is room."""
    following = follow(capacity=4)
    following.follower.on_flowing()
    await following.reach(State.LIVE)
    for _ in range(50):
        following.follower.on_event(following.source.write())
    assert following.subscription.room == 0
    assert following.source.cursor <= 4
    assert await following.told(50) == list(range(1, 51))


async def test_a_full_reader_costs_no_processor_time(follow):
    """It sleeps until there is room, whatever is due meanwhile."""
    following = follow(capacity=1, patience=Patience(look=0.01, doubt=0.01))
    following.follower.on_flowing()
    await following.reach(State.LIVE)
    for _ in range(3):
        following.follower.on_event(following.source.write())
    rounds = 0
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.1
    while loop.time() < end:
        await asyncio.sleep(0)
        rounds += following.follower._wake.is_set()
    assert rounds <= 1
    assert following.source.fetches <= 2


async def test_it_looks_by_itself_while_changes_flow(follow):
    """No event need ever come."""
    following = follow(patience=Patience(look=0.01, doubt=60))
    following.follower.on_flowing()
    await following.reach(State.LIVE)
    following.source.write()
    assert await following.told(1) == [1]


async def test_a_channel_that_tells_nothing_is_joined_anew(follow):
    """A look found what it should have told, and it still says nothing."""
    following = follow(patience=Patience(look=0.01, doubt=0.01))
    following.follower.on_flowing()
    await following.reach(State.LIVE)
    following.source.write()
    assert "told nothing" in await asyncio.wait_for(following.renewals.get(), 5)


async def test_a_channel_whose_event_was_only_late_is_not(follow):
    """It tells something within the time."""
    following = follow(patience=Patience(look=0.01, doubt=0.2))
    following.follower.on_flowing()
    await following.reach(State.LIVE)
    late = following.source.write()
    await following.told(1)
    following.follower.on_event(late)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(following.renewals.get(), 0.5)


async def test_lag_is_the_time_since_nothing_was_missing(live):
    """0 while it is so."""
    assert live.follower.lag == 0
    live.follower.on_lost(AWAY)
    await asyncio.sleep(0.01)
    assert live.follower.lag >= 0.01
    assert live.follower.last_event_age is None
    await live.reach(State.POLLING)
    assert live.follower.lag < 1
    live.follower.on_event(live.source.write())
    assert live.follower.last_event_age < 5


async def test_a_source_that_has_ended_ends_the_subscription(live):
    """Behind what there still is to tell."""
    live.follower.on_event(live.source.write())
    live.source.is_finished = True
    live.follower.on_event(Change(record={"number": 0}))
    assert [number async for number in live.subscription] == [1]
    assert live.status.current.state is State.CLOSED
