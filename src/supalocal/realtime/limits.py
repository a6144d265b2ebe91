"""How much one client, and all of them together, may ask of Realtime."""

import time
from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server; None means no limit.

    What bounds a single client is as on hosted by default, so that an application meets it here first. What bounds a
    whole project, and the pauses before a refusal, would only slow tests down: `Limits.hosted()` has them too.
    """

    idle_seconds: float = 60.0
    no_channel_seconds: float = 600.0
    frame_bytes: int = 5_000_000
    payload_bytes: int = 3_000_500
    waiting_bytes: int = 16_000_000
    """What may wait for one client; whoever falls further behind is cut off, or it would take everyone's memory."""
    channels_per_socket: int | None = 100
    presence_calls: int | None = 5
    """Calls of one channel in `presence_window_seconds`."""
    presence_window_seconds: float = 30.0
    users: int | None = None
    """Sockets with a channel."""
    joins_per_second: int | None = None
    events_per_second: int | None = None
    """Broadcasts sent and received; changes are counted apart, by the same number."""
    presence_events_per_second: int | None = None
    handshake_pause_seconds: float = 0.0
    join_pause_seconds: float = 0.0

    @classmethod
    def hosted(cls) -> "Limits":
        """Return the limits of a hosted project, as the real server's defaults have them."""
        return cls(
            users=200,
            joins_per_second=100,
            events_per_second=100,
            presence_events_per_second=1000,
            handshake_pause_seconds=2.0,
            join_pause_seconds=5.0,
        )


class Rate:
    """Counts events, and knows whether their average over the last 12 seconds exceeds a limit per second."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._buckets: deque[list[int]] = deque()

    def add(self, count: int = 1) -> None:
        """Count events that happen now."""
        if self._limit is None:
            return
        second = int(time.monotonic())
        if self._buckets and self._buckets[-1][0] == second:
            self._buckets[-1][1] += count
        else:
            self._buckets.append([second, count])

    @property
    def average(self) -> float:
        """Events per second, lately."""
        oldest = int(time.monotonic()) - WINDOW_SECONDS
        while self._buckets and self._buckets[0][0] <= oldest:
            self._buckets.popleft()
        return sum(count for _, count in self._buckets) / WINDOW_SECONDS

    def exceeded(self, more: int = 0) -> bool:
        """Whether the average, with `more` events added to it, is above the limit."""
        return self._limit is not None and self.average + more > self._limit


class Allowance:
    """So many calls in a window that starts with the first of them."""

    def __init__(self, calls: int | None, window_seconds: float) -> None:
        self._calls, self._window = calls, window_seconds
        self._used, self._ends = 0, 0.0

    def take(self) -> bool:
        """Use one call; false when none is left."""
        now = time.monotonic()
        if now > self._ends:
            self._used, self._ends = 0, now + self._window
        if self._calls is not None and self._used >= self._calls:
            return False
        self._used += 1
        return True
