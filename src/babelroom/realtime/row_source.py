"""Rows that are told as they are now, one after the other: the common part of sessions and activities."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import ValidationError

from babelroom.models import Identified
from babelroom.realtime.socket import Change

Row = TypeVar("Row", bound=Identified)


class RowSource(ABC, Generic[Row]):
    """A Source (see source.py).

    While something may be missing, a change only asks for another fetch: so nothing that was fetched is older than what
    was told, and the current picture comes before what happens next.
    """

    def __init__(self, model: type[Row]) -> None:
        self._model = model
        self._pending: deque[Row] = deque()
        self._rings = 0
        self._is_behind = True

    @property
    def is_behind(self) -> bool:
        return self._is_behind

    @property
    def is_finished(self) -> bool:
        return False

    @property
    def has_more(self) -> bool:
        return bool(self._pending)

    def take(self, change: Change) -> None:
        if self._is_behind or change.has_errors:
            self.ring()
            return
        try:
            row = self._model.model_validate(change.record) if change.record else None
        except ValidationError:
            self.ring()
        else:
            self._see_change(row)

    def ring(self) -> None:
        self._rings += 1
        self._is_behind = True

    async def fetch(self) -> bool:
        rings, told = self._rings, len(self._pending)
        self._see_picture(await self._fetch_rows())
        self._is_behind = self._rings != rings
        return len(self._pending) != told

    def hand_out(self, room: int) -> list[Row]:
        return [self._pending.popleft() for _ in range(min(room, len(self._pending)))]

    def due(self) -> float:
        return math.inf

    @abstractmethod
    async def _fetch_rows(self) -> Sequence[Row]:
        """The current rows."""

    @abstractmethod
    def _see_picture(self, rows: Sequence[Row]) -> None:
        """These are all that there are now."""

    @abstractmethod
    def _see_change(self, row: Row | None) -> None:
        """This is one of them now; None: one was deleted."""
