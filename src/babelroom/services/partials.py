"""Sends a translation to the session as it grows: the latest of it, now and then, while it is of use."""

from __future__ import annotations

import asyncio
import logging
import time
from types import TracebackType
from typing import Self

from babelroom import inputs
from babelroom.deadlines import without_deadline
from babelroom.errors import InvalidText
from babelroom.models import Claim, Message
from babelroom.repositories.partials import PartialRepository
from babelroom.results import Partial

logger = logging.getLogger("babelroom")

_FIRST_WORD = 0.015
"""Seconds that the first partial waits: a translation that comes in one piece, or nearly so, needs none."""

_LAST_WORD = 0.05
"""Seconds that a partial which is under way may take at the end."""


class PartialSender:
    """Sends the partials of one message, numbered from 1: the first nearly at once, then at most so many a second.

    One at a time, so that they arrive in order. Use it in `async with`, or close() it before the translation is stored:
    then no partial comes after the final row. Nothing that it meets disturbs the translation.
    """

    def __init__(self, partials: PartialRepository, message: Message | Claim, *, per_second: float) -> None:
        self._partials = partials
        self._message = message
        self._pause = 1 / per_second
        self._deltas: list[str] = []
        self._has_grown = asyncio.Event()
        self._number = 0
        self._is_sending = self._is_closed = self._has_complained = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def grow(self, delta: str) -> None:
        """Say how the translation goes on. It neither waits nor raises."""
        if self._is_closed or not delta:
            return
        self._deltas.append(delta)
        self._has_grown.set()
        if self._task is None:
            self._task = asyncio.create_task(self._send_growth(), name="babelroom partials", context=without_deadline())

    async def close(self) -> None:
        """Send nothing any more; what is under way may end within 0.05 s. Closing twice does nothing."""
        self._is_closed = True
        task = self._task
        if task is None:
            return
        try:
            if self._is_sending:
                await asyncio.wait([task], timeout=_LAST_WORD)
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _send_growth(self) -> None:
        await asyncio.sleep(_FIRST_WORD)
        while not self._is_closed:
            await self._has_grown.wait()
            self._has_grown.clear()
            self._deltas = ["".join(self._deltas)]
            begun = time.monotonic()
            if await self._send(self._deltas[0]) and not self._is_closed:
                await asyncio.sleep(begun + self._pause - time.monotonic())

    async def _send(self, text: str) -> bool:
        """Whether it was worth a request."""
        try:
            inputs.text(text, limit=inputs.MAX_TRANSLATION)
        except InvalidText:  # still blank, or half a character
            return False
        self._number += 1
        self._is_sending = True
        try:
            await self._partials.send(self._message.session_id, self._partial(text))
        except Exception as error:  # noqa: BLE001  whatever it meets, the translation goes on
            self._complain(error)
        finally:
            self._is_sending = False
        return True

    def _partial(self, text: str) -> Partial:
        return Partial(
            message_id=self._message.id,
            user_id=self._message.user_id,
            number=self._number,
            text=text,
            source=self._message.original_lang,
            target=self._message.target_lang,
        )

    def _complain(self, error: Exception) -> None:
        """Once a message: those after it most likely meet the same."""
        if not self._has_complained:
            self._has_complained = True
            logger.warning("A partial translation of message %s was not sent: %s", self._message.id, error)
