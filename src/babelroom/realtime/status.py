"""Where a subscription stands, and why: read at any time, followed as an iterator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    CONNECTING = "connecting"
    """Waits for the server's first word that changes or partials flow."""
    CATCHING_UP = "catching_up"
    """Changes flow; what was missed before is being fetched."""
    LIVE = "live"
    """Changes flow, and nothing is missing; or partials flow, which nobody fetches."""
    POLLING = "polling"
    """Realtime is away; REST is asked again and again instead."""
    DISCONNECTED = "disconnected"
    """Neither Realtime nor REST answers, or for partials not Realtime; they are tried again, without end."""
    CLOSED = "closed"
    """Ended, by the app or because there is nothing left to come. Final."""


_WORST_FIRST = (State.DISCONNECTED, State.CONNECTING, State.POLLING, State.CATCHING_UP, State.LIVE)


@dataclass(frozen=True, slots=True)
class StateChange:
    state: State
    reason: str
    """Why, in a sentence."""


class Status:
    """A state that changes; each iterator over it sees every change from the current one on."""

    def __init__(
        self, reason: str, *, state: State = State.CONNECTING, on_change: Callable[[], None] | None = None
    ) -> None:
        self._link = _Link(StateChange(state, reason))
        self._on_change = on_change

    @property
    def current(self) -> StateChange:
        return self._link.change

    def change(self, state: State, reason: str) -> None:
        """Move to the state. The same state again is no change, and after CLOSED none comes."""
        if self.current.state in (state, State.CLOSED):
            return
        link = self._link
        link.next = self._link = _Link(StateChange(state, reason))
        link.is_past.set()
        if self._on_change is not None:
            self._on_change()

    async def changes(self) -> AsyncIterator[StateChange]:
        """The current state, then each change, until CLOSED."""
        link = self._link
        yield link.change
        while link.change.state is not State.CLOSED:
            await link.is_past.wait()
            if link.next is not None:
                link = link.next
                yield link.change


class _Link:
    """A state and, once it is past, the next one: whoever iterates holds the chain, nobody else does."""

    def __init__(self, change: StateChange) -> None:
        self.change = change
        self.is_past = asyncio.Event()
        self.next: _Link | None = None


def worst(changes: Iterable[StateChange]) -> StateChange | None:
    """Of several, the one to tell a user; None of none. Closed ones do not count."""
    running = [change for change in changes if change.state is not State.CLOSED]
    return min(running, key=lambda change: _WORST_FIRST.index(change.state), default=None)
