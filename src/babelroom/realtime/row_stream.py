"""Changed rows in, models out; and the current rows, wherever something may have been missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Generic, TypeVar

from pydantic import ValidationError

from babelroom.errors import ClientClosed
from babelroom.models import Identified
from babelroom.realtime.connection import Change
from babelroom.realtime.subscription import Subscription

logger = logging.getLogger("babelroom")

_FETCH_AGAIN = 1.0
"""Seconds to wait after a fetch that failed."""

LOOK = 30.0
"""Seconds without news after which it looks for what was missed, without being told to."""

Row = TypeVar("Row", bound=Identified)


def look_rarely(_: Collection[object]) -> float:
    return LOOK


def tell_nothing(_: object) -> None:
    return None


class RowStream(Generic[Row]):
    """Tells each change of a row, and after a reconnect what differs from what was told.

    `told` are rows that the consumer knows already. `fetch` returns the current rows, `gone` what to tell of a row that
    is no longer among them, if anything, and `look` how many seconds without news may pass until it fetches by itself.
    """

    def __init__(
        self,
        subscription: Subscription[Row],
        model: type[Row],
        fetch: Callable[[], Awaitable[Sequence[Row]]],
        *,
        told: Sequence[Row] = (),
        gone: Callable[[Row], Row | None] = tell_nothing,
        look: Callable[[Collection[Row]], float] = look_rarely,
    ) -> None:
        self._subscription = subscription
        self._model = model
        self._fetch, self._gone, self._look = fetch, gone, look
        self._told = {row.id: row for row in told}
        self._changes = 0
        self._must_fetch = False
        self._wake = asyncio.Event()

    def on_change(self, change: Change) -> None:
        self._changes += 1
        self._wake.set()
        if not change.record:
            return  # a DELETE: there is no new row to hand out
        try:
            self._tell(self._model.model_validate(change.record))
        except ValidationError:
            self._must_fetch = True

    def on_ready(self) -> None:
        """Changes flow (again): what was committed before must be fetched."""
        self._must_fetch = True
        self._wake.set()

    async def keep_true(self) -> None:
        """Fetch whenever something may have been missed, for as long as the subscription runs."""
        while True:
            try:
                async with asyncio.timeout(self._look(self._told.values())):
                    await self._wake.wait()
            except TimeoutError:
                self._must_fetch = True
            self._wake.clear()
            if self._must_fetch:
                await self._refresh()

    async def _refresh(self) -> None:
        before = self._changes
        try:
            rows = await self._fetch()
        except ClientClosed:
            raise
        except Exception as error:  # noqa: BLE001  nothing but the end of the subscription may end this
            logger.warning("Current rows could not be fetched yet: %s", error)
            await asyncio.sleep(_FETCH_AGAIN)
            self._wake.set()
            return
        if self._changes != before:
            self._wake.set()  # the answer may be older than what was told meanwhile: ask again
            return
        self._must_fetch = False
        current = {row.id: row for row in rows}
        missing = [gone for key, row in self._told.items() if key not in current and (gone := self._gone(row))]
        for row in [*current.values(), *missing]:
            self._tell(row)

    def _tell(self, row: Row) -> None:
        if row != self._told.get(row.id):
            self._told[row.id] = row
            self._subscription.put(row)
