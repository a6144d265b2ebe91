"""Groups streamed changes as the real server's polls would: whole transactions, about a hundred changes at a time.

What the real server does to a poll shows on the wire: it judges every row by the database as it is when the poll is
made, and an error in one change loses the poll. So a poll, here, is the unit of judging and of loss.
"""

from collections import deque
from dataclasses import dataclass, field

from supalocal.realtime.pgoutput import Begin, Relation, RowChange

# A poll ends with the transaction that fills it, as a poll of the real server does.
POLL_ROWS = 100
# A transaction beyond these is split, which the real server never does; it would hold all of it in memory.
SPLIT_ROWS, SPLIT_BYTES = 2_000, 4_000_000


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A row's change together with the table it belongs to, as of that change, and its transaction."""

    relation: Relation
    row: RowChange
    begin: Begin
    size: int


@dataclass(slots=True)
class Poll:
    """Changes in commit order, and the tables whose definitions were sent along with them.

    `after_pause` when none came before it for a while: there is time then to look everything up anew.
    """

    changes: list[LoggedChange] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    after_pause: bool = False


class Backlog:
    """Changes that wait for their poll."""

    def __init__(self) -> None:
        self._changes: deque[LoggedChange] = deque()
        self._whole = 0
        self.bytes = 0

    @property
    def is_ready(self) -> bool:
        """Whether a poll can be made: of whole transactions, or of a part of one too large to wait for."""
        return bool(self._whole) or len(self._changes) >= SPLIT_ROWS or self.bytes >= SPLIT_BYTES

    @property
    def is_full(self) -> bool:
        """Whether there is enough for a poll, so that waiting for more is in vain."""
        return self._whole >= POLL_ROWS or self.bytes >= SPLIT_BYTES

    def add(self, change: LoggedChange) -> None:
        """Keep a change of the transaction that is arriving."""
        self._changes.append(change)
        self.bytes += change.size

    def commit(self) -> None:
        """The transaction has arrived whole."""
        self._whole = len(self._changes)

    def take(self) -> list[LoggedChange]:
        """Return the next poll's changes and forget them."""
        taken: list[LoggedChange] = []
        size, limit = 0, self._whole or len(self._changes)
        while len(taken) < limit and not _fills(taken, size, self._changes[0]):
            taken.append(self._changes.popleft())
            size += taken[-1].size
        self._whole = max(self._whole - len(taken), 0)
        self.bytes -= size
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._changes.clear()
        self._whole = self.bytes = 0


def _fills(taken: list[LoggedChange], size: int, following: LoggedChange) -> bool:
    if len(taken) >= POLL_ROWS and following.begin is not taken[-1].begin:
        return True
    return bool(taken) and (len(taken) >= SPLIT_ROWS or size + following.size > SPLIT_BYTES)
