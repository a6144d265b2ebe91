"""Changed rows in, models out; after a reconnect the current rows, for what was missed meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel

from babelroom.errors import BabelroomError
from babelroom.realtime.connection import Change
from babelroom.realtime.subscription import Subscription

logger = logging.getLogger("babelroom")

Row = TypeVar("Row", bound=BaseModel)


class RowStream(Generic[Row]):
    def __init__(
        self, subscription: Subscription[Row], model: type[Row], fetch: Callable[[], Awaitable[Sequence[Row]]]
    ) -> None:
        self._subscription = subscription
        self._model = model
        self._fetch = fetch
        self._was_ready = False

    def on_change(self, change: Change) -> None:
        # A DELETE has no new row: there is nothing to hand out.
        if change.record:
            self._subscription.put(self._model.model_validate(change.record))

    def on_ready(self) -> None:
        if self._was_ready:
            self._subscription.run(self._refresh())
        self._was_ready = True

    async def _refresh(self) -> None:
        try:
            rows = await self._fetch()
        except BabelroomError as error:
            logger.warning("What changed while Realtime was away could not be fetched: %s", error)
            return
        for row in rows:
            self._subscription.put(row)
