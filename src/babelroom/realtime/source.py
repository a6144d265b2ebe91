"""What a subscription is about: changes and fetched rows in, what to tell out, in the source's own order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from babelroom.realtime.socket import Change

Item_co = TypeVar("Item_co", covariant=True)


class Source(Protocol[Item_co]):
    """Nothing but fetch() waits. Times are those of time.monotonic()."""

    @property
    def is_behind(self) -> bool:
        """Whether something may be missing that fetch() would bring."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will come."""

    def take(self, change: Change) -> None:
        """A row has changed."""

    def ring(self) -> None:
        """Something may have been missed."""

    async def fetch(self) -> bool:
        """Fetch one step of what is missing; whether there was anything. On an error it is still behind."""

    def hand_out(self, room: int) -> Sequence[Item_co]:
        """At most so many of what can be told now; the rest stays."""

    @property
    def has_more(self) -> bool:
        """Whether something could be told now, but for the lack of room."""

    def due(self) -> float:
        """When hand_out() may tell something, or something may be missing, without any news; math.inf: never."""
