"""The members of one topic, and what reaches all of them."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Protocol

from supalocal.realtime.frames import Broadcast
from supalocal.realtime.presence import Diff, Presences


class Member(Hashable, Protocol):
    """Who sits in a room; it drops by itself what it may not have."""

    def send_broadcast(self, broadcast: Broadcast) -> None:
        """Take a broadcast of the room."""

    def send_presence_diff(self, diff: str) -> None:
        """Take a change of who is present; JSON text."""


class Room:
    """One topic's members. Public and private channels of one topic are rooms apart."""

    def __init__(self) -> None:
        # A dict keeps the order of joining, in which members are served.
        self._members: dict[Member, None] = {}
        self._presences = Presences()

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left."""
        return not self._members

    @property
    def presence_state(self) -> str:
        """Who is present, as JSON text."""
        return self._presences.to_json()

    def enter(self, member: Member) -> None:
        """Add a member."""
        self._members[member] = None

    def leave(self, member: Member) -> None:
        """Remove the member; the others learn that it is no longer present."""
        self._members.pop(member, None)
        self._tell(self._presences.untrack(member))

    def track(self, member: Member, key: str, told: dict[str, Any]) -> None:
        """Make the member present under the key, or renew what it tells of itself."""
        self._tell(self._presences.track(member, key, told))

    def untrack(self, member: Member) -> None:
        """Make the member absent; it stays in the room."""
        self._tell(self._presences.untrack(member))

    def broadcast(self, message: Broadcast, *, leave_out: Member | None = None) -> None:
        """Send to everyone but one."""
        self._each(
            lambda member: member.send_broadcast(message), (one for one in self._members if one is not leave_out)
        )

    def _tell(self, diff: Diff | None) -> None:
        if diff:
            text = diff.to_json()
            self._each(lambda member: member.send_presence_diff(text), self._members)

    @staticmethod
    def _each(send: Callable[[Member], None], members: Iterable[Member]) -> None:
        # A member that is shut while it is served leaves the room.
        for member in list(members):
            send(member)
