"""How a client does."""

from __future__ import annotations

from dataclasses import dataclass

from babelroom.realtime.status import State
from babelroom.realtime.subscriptions import SubscriptionHealth


@dataclass(frozen=True, slots=True)
class Health:
    """What check_supabase_connection() found, and how the subscriptions do."""

    is_connected: bool | None
    """What the last check found; None before the first one."""
    reason: str
    """Why it found so, and what to do; empty if connected."""
    state: State
    """The worst state among the subscriptions, as Babelroom.state; disconnected without any."""
    subscriptions: tuple[SubscriptionHealth, ...]
    reconnects: int
    """How often Realtime's socket was opened because the one before it was lost."""
    restarts: int
    """How often a background task ended unexpectedly, and was started again."""

    @property
    def gaps_repaired(self) -> int:
        """Fetches that brought what no event had told, in all running subscriptions."""
        return sum(each.gaps_repaired for each in self.subscriptions)

    @property
    def last_event_age(self) -> float | None:
        """Seconds since Realtime last told something; None: not yet."""
        return min(
            (each.last_event_age for each in self.subscriptions if each.last_event_age is not None), default=None
        )

    @property
    def lag(self) -> float:
        """Seconds for which something may have been missing, at worst; 0 while nothing is."""
        return max((each.lag for each in self.subscriptions), default=0.0)
