"""A state that changes, and whoever watches it."""

import asyncio

import pytest

from babelroom.realtime.status import State, StateChange, Status, worst


async def test_an_iteration_sees_every_change_from_the_current_state_on():
    """With the reason of each, and ends when it is closed."""
    status = Status("It is being opened.")
    status.change(State.LIVE, "Changes flow.")
    changes = status.changes()
    assert await anext(changes) == StateChange(State.LIVE, "Changes flow.")
    status.change(State.DISCONNECTED, "The wire was cut.")
    status.change(State.POLLING, "REST answers.")
    status.change(State.CLOSED, "Ended.")
    assert [change.state async for change in changes] == [State.DISCONNECTED, State.POLLING, State.CLOSED]


async def test_the_same_state_again_is_no_change():
    """And nothing comes after the end."""
    heard = []
    status = Status("It is being opened.", on_change=lambda: heard.append(status.current.reason))
    status.change(State.LIVE, "first")
    status.change(State.LIVE, "second")
    status.change(State.CLOSED, "third")
    status.change(State.LIVE, "fourth")
    assert heard == ["first", "third"]


async def test_each_iteration_is_its_own():
    """One that starts late misses what is past, and holds nobody up."""
    status = Status("It is being opened.")
    early, late = status.changes(), status.changes()
    await anext(early)
    status.change(State.LIVE, "Changes flow.")
    assert (await anext(late)).state is State.LIVE
    assert (await asyncio.wait_for(anext(early), 5)).state is State.LIVE


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([State.LIVE, State.DISCONNECTED, State.POLLING], State.DISCONNECTED),
        ([State.LIVE, State.CATCHING_UP], State.CATCHING_UP),
        ([State.CLOSED, State.LIVE], State.LIVE),
    ],
)
def test_of_several_the_worst_is_told(states, expected):
    """Those that are closed do not count."""
    assert worst(StateChange(state, "") for state in states).state is expected


def test_of_none_there_is_no_worst():
    """Nor of closed ones only."""
    assert worst([]) is None
    assert worst([StateChange(State.CLOSED, "")]) is None
