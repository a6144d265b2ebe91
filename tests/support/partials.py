"""Partial translations, sent by one client and followed by another."""

from __future__ import annotations

from uuid import UUID

from babelroom import Babelroom, Message, Partial, State, Stream
from babelroom.repositories.partials import PartialRepository
from babelroom.services.partials import PartialSender

from .streams import reach


def sender(client: Babelroom, message: Message) -> PartialSender:
    """What sends the partials of one message, as often as the client's settings allow."""
    return PartialSender(PartialRepository(client._gateway), message, per_second=client.settings.events_per_second)


async def follow(client: Babelroom, session: UUID) -> Stream[Partial]:
    """A stream of the session's partials that flows."""
    stream = client.messages.stream_partials(session)
    await reach(await stream._opened(), State.LIVE)
    return stream
