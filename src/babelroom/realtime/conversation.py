"""Which messages to hand out in the order of the conversation, from their states alone. Pure: the clock is given.

Each message comes once, by seq, when it can be shown and everything before it has come. One that cannot in time is
passed over, and comes late.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from babelroom.models import Message, MessageStatus, ReadyMessage


class Conversation:
    def __init__(self, after: int, *, late_after: float) -> None:
        self._late_after = late_after
        self._place = after
        """Every message up to this seq has come, or was passed over."""
        self._known_to = after
        """Every message up to this seq has been taken, if there is one."""
        self._held: dict[int, _Held] = {}
        self._order: list[int] = []  # a heap of their seqs
        self._passed: set[int] = set()
        self._passed_order: list[int] = []  # a heap of these, and of some that have come meanwhile
        self._late: deque[Message] = deque()
        self._stamp: datetime | None = None
        """The latest time that the database wrote into any of them."""

    @property
    def held(self) -> int:
        """How many wait for their turn."""
        return len(self._held)

    @property
    def resume_after(self) -> int:
        """Every message up to this seq has come."""
        while self._passed_order and self._passed_order[0] not in self._passed:
            heapq.heappop(self._passed_order)
        return self._passed_order[0] - 1 if self._passed_order else self._place

    def take(self, messages: Iterable[Message], now: float, *, known_to: int) -> None:
        """Take newer states; by then every message up to the seq `known_to` has been taken at least once."""
        for message in messages:
            self._stamp = max(filter(None, (self._stamp, *_stamps(message))))
            held = self._held.get(message.seq)
            if message.seq in self._passed:
                if _is_ready(message) and all(late.seq != message.seq for late in self._late):
                    self._late.append(message)
            elif held is not None:
                if message.rev > held.message.rev:
                    held.message = message
            elif message.seq > self._place:
                self._held[message.seq] = _Held(message, now)
                heapq.heappush(self._order, message.seq)
        self._known_to = max(self._known_to, known_to)

    def hand_out(self, room: int, now: float) -> list[ReadyMessage]:
        """At most so many whose turn it is."""
        out: list[ReadyMessage] = []
        while len(out) < room:
            if self._late:
                message = self._late.popleft()
                self._passed.remove(message.seq)
                out.append(self._told(message, is_late=True))
                continue
            head = self._head()
            if head is None or not (_is_ready(head.message) or self._is_stuck(head, now)):
                break
            self._place = heapq.heappop(self._order)
            del self._held[self._place]
            if _is_ready(head.message):
                out.append(self._told(head.message, is_late=False))
            else:
                self._passed.add(self._place)
                heapq.heappush(self._passed_order, self._place)
        return out

    def has_more(self) -> bool:
        """Whether there is one whose turn it is."""
        head = self._head()
        return bool(self._late) or (head is not None and _is_ready(head.message))

    def due(self) -> float:
        """When the next one is passed over; math.inf: none is waited for."""
        head = self._head()
        return math.inf if head is None or _is_ready(head.message) else head.since + self._late_after

    def _head(self) -> _Held | None:
        if not self._order or self._order[0] > self._known_to:
            return None
        return self._held[self._order[0]]

    def _is_stuck(self, held: _Held, now: float) -> bool:
        # What waited before we came has waited, by the database's own clock.
        waited = self._stamp is not None and self._stamp - held.message.created_at >= timedelta(
            seconds=self._late_after
        )
        return waited or now >= held.since + self._late_after

    def _told(self, message: Message, *, is_late: bool) -> ReadyMessage:
        return ReadyMessage.model_construct(**dict(message), is_late=is_late, resume_after=self.resume_after)


@dataclass(slots=True)
class _Held:
    message: Message
    since: float


def _is_ready(message: Message) -> bool:
    return message.translation is not None or message.status in (MessageStatus.DISPLAYED, MessageStatus.FAILED)


def _stamps(message: Message) -> tuple[datetime | None, ...]:
    return message.created_at, message.processed_at, message.displayed_at
