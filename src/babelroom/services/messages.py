"""Messages: queued, translated, displayed; live and in history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, overload
from uuid import UUID, uuid4

from babelroom import inputs
from babelroom.errors import Conflict, InvalidInput, MessageNotFound
from babelroom.models import (
    Message,
    MessageInsert,
    MessageStatus,
    MessageUpdate,
    PerformanceMetrics,
    ReadyMessage,
)
from babelroom.realtime.message_source import MessageSource
from babelroom.realtime.ready_source import ReadySource
from babelroom.realtime.socket import Broadcasts, Rows
from babelroom.realtime.stream import Stream
from babelroom.realtime.subscription import Callback, Subscription
from babelroom.realtime.subscriptions import Subscriptions
from babelroom.repositories import partials
from babelroom.repositories.messages import MessageRepository
from babelroom.results import Partial

MAX_PAGE = 1_000
"""Messages in one answer: the API's max_rows."""

LATE_AFTER = 10.0
"""Seconds that conversation order waits for one message's translation."""


class MessageService:
    """The founding spec's MessageService. Reached as `Babelroom.messages`."""

    def __init__(self, messages: MessageRepository, subscriptions: Subscriptions) -> None:
        self._messages = messages
        self._subscriptions = subscriptions

    async def create_message(
        self,
        session_id: UUID | str,
        user_id: UUID | str,
        original_text: str,
        original_lang: str,
        target_lang: str | None = None,
        *,
        message_id: UUID | str | None = None,
    ) -> Message:
        """Queue a message and return it.

        The message gets its UUID here, so a retry after a lost answer is never a second message; give message_id to
        make your own resend safe too. Without target_lang it is the language of the other participant.

        Raises:
            InvalidInput: a text, language or id is refused before anything is sent.
            SessionNotFound: there is no such session.
            SessionExpired: the session was closed, or its time is over.
            Conflict: target_lang was left out and nobody else is in the session, or message_id is another message's.
        """
        return await self._messages.send(
            uuid4() if message_id is None else inputs.uuid(message_id),
            inputs.uuid(session_id),
            inputs.uuid(user_id),
            inputs.text(original_text),
            inputs.language(original_lang),
            None if target_lang is None else inputs.language(target_lang),
        )

    async def create_messages(self, messages: Sequence[MessageInsert]) -> list[Message]:
        """Queue up to 1,000 messages of one session in one request and return them: all or none, in the list's order.

        Each has its UUID before it is sent (its own, or one made here), so a retry after a lost answer doubles none.
        For a resend of your own to be as safe, give each an id: the same batch again returns the first rows.

        Raises:
            InvalidInput: a text, language or id is refused, a column is the database's to set, there are messages of
                two sessions or too many. It names the message by its index; nothing was sent.
            SessionNotFound: there is no such session.
            SessionExpired: the session was closed, or its time is over.
            Conflict: an id is another message's; nothing was written.
        """
        batch = inputs.batch(messages)
        return await self._messages.send_all(batch) if batch else []

    async def update_message_translation(
        self, message_id: UUID | str, translation: str, performance_metrics: PerformanceMetrics | None = None
    ) -> Message:
        """Store the translation: the message is ready to display (status processing, with a translation).

        Raises:
            InvalidInput: the translation is blank or longer than 40,000 characters, or the metrics are not numbers.
            MessageNotFound: there is no such message.
            Conflict: it was displayed already, or has failed, with another translation.
        """
        key = inputs.uuid(message_id)
        change = {
            "translation": inputs.text(translation, limit=inputs.MAX_TRANSLATION),
            "status": MessageStatus.PROCESSING,
        } | ({} if performance_metrics is None else {"performance_metrics": inputs.metrics(performance_metrics)})
        try:
            message = await self._messages.update(key, MessageUpdate.model_validate(change))
        except Conflict:
            # The answer to a first try may have been lost, and the reader been quick.
            message = await self._messages.get(key)
            if message is None or message.translation != translation:
                raise
        if message is None:
            raise MessageNotFound
        return message

    async def mark_message_displayed(self, message_id: UUID | str) -> None:
        """Say that the other person has seen it. Saying it twice, or of an unknown message, does nothing.

        Raises:
            Conflict: the message has failed.
        """
        await self._messages.mark_displayed(inputs.uuid(message_id))

    async def get_session_messages(
        self,
        session_id: UUID | str,
        limit: int = 50,
        *,
        before: int | None = None,
        after: int | None = None,
        latest: bool = False,
    ) -> list[Message]:
        """Return up to `limit` messages in conversation order, the oldest ones first.

        `before` and `after` are cursors by seq, both exclusive; `latest=True` takes the newest of the range instead.

        Raises:
            InvalidInput: limit is not 1 to 1,000, or a cursor is no seq.
        """
        return await self._messages.page(
            inputs.uuid(session_id),
            inputs.whole_number("limit", limit, least=1, most=MAX_PAGE),
            before=None if before is None else inputs.whole_number("before", before),
            after=None if after is None else inputs.whole_number("after", after),
            latest=latest,
        )

    @overload
    async def subscribe_to_messages(
        self,
        session_id: UUID | str,
        on_message: Callback[ReadyMessage],
        *,
        after: int | None = ...,
        since_start: bool = ...,
        ready_only: Literal[True],
        late_after: float = ...,
    ) -> Subscription[ReadyMessage]: ...

    @overload
    async def subscribe_to_messages(
        self,
        session_id: UUID | str,
        on_message: Callback[Message],
        *,
        after: int | None = ...,
        since_start: bool = ...,
        ready_only: Literal[False] = ...,
        late_after: float = ...,
    ) -> Subscription[Message]: ...

    async def subscribe_to_messages(
        self,
        session_id: UUID | str,
        on_message: Callback[Any],
        *,
        after: int | None = None,
        since_start: bool = False,
        ready_only: bool = False,
        late_after: float = LATE_AFTER,
    ) -> Subscription[Any]:
        """Call back with what stream() yields; returns when that will be told, live or by polls.

        Raises:
            InvalidInput: `after` is no whole number, or is given together with since_start.
            SubscribeFailed: Realtime refused, or neither Realtime nor REST could be had in time.
        """
        wanted = self._wanted(session_id, after, since_start=since_start, ready_only=ready_only, late_after=late_after)
        subscription = await self._subscribe(wanted)
        subscription.deliver_to(on_message)
        return subscription

    @overload
    def stream(
        self,
        session_id: UUID | str,
        *,
        after: int | None = ...,
        since_start: bool = ...,
        ready_only: Literal[True],
        late_after: float = ...,
    ) -> Stream[ReadyMessage]: ...

    @overload
    def stream(
        self,
        session_id: UUID | str,
        *,
        after: int | None = ...,
        since_start: bool = ...,
        ready_only: Literal[False] = ...,
        late_after: float = ...,
    ) -> Stream[Message]: ...

    def stream(
        self,
        session_id: UUID | str,
        *,
        after: int | None = None,
        since_start: bool = False,
        ready_only: bool = False,
        late_after: float = LATE_AFTER,
    ) -> Stream[Any]:
        """Yield messages, live, however often the connection is lost meanwhile.

        By default, each new state of a message: each rev at most once, rev rising, after a gap the latest state of each
        message; place a message by its seq. With ready_only, conversation order: each message once, by seq, when it is
        translated (or has failed) and everything before it has come; one that is not ready within `late_after` seconds
        is passed over, and comes later with is_late.

        It starts with what happens from its first step on (with ready_only: with what is said from then on); with
        since_start, with the whole conversation; with `after`, behind a cursor that an app has stored: a rev, or with
        ready_only a message's resume_after.

        Raises:
            InvalidInput: `after` is no whole number, or is given together with since_start.
            SubscribeFailed: by the first step: Realtime refused, or neither Realtime nor REST could be had in time.
        """
        wanted = self._wanted(session_id, after, since_start=since_start, ready_only=ready_only, late_after=late_after)
        return Stream(partial(self._subscribe, wanted))

    def stream_partials(self, session_id: UUID | str) -> Stream[Partial]:
        """Yield translations as they grow, from whoever translates for the session and tells so.

        Of each message the numbers rise, and each text begins with the one before; a slow reader gets the latest. They
        are a foretaste, for which nothing waits: the row that stream() yields replaces them, and one that is lost is
        not missed. While Realtime is away none come, and the subscription's state is `disconnected`; the first step
        raises nothing for that, and the client's own state tells of the other subscriptions.

        Anybody who has the public key and the session's id can send them.

        Raises:
            InvalidId: session_id is not a UUID.
        """
        return Stream(partial(self._subscribe_to_partials, inputs.uuid(session_id)))

    @staticmethod
    def _wanted(
        session_id: UUID | str, after: int | None, *, since_start: bool, ready_only: bool, late_after: float
    ) -> _Wanted:
        if since_start and after is not None:
            raise InvalidInput("Give since_start or a cursor in `after`: both say where to begin.")
        if after is not None:
            after = inputs.whole_number("after", after)
        return _Wanted(
            inputs.uuid(session_id), 0 if since_start else after, ready_only, inputs.seconds("late_after", late_after)
        )

    async def _subscribe(self, wanted: _Wanted) -> Subscription[Any]:
        session_id, after = wanted.session_id, wanted.after
        cursor = await self._messages.last_rev(session_id) if after is None else after
        since = partial(self._messages.since, session_id)
        source = (
            ReadySource(
                since,
                lambda seq, limit: self._messages.page(session_id, limit, before=None, after=seq, latest=False),
                partial(self._messages.last_rev, session_id),
                after=cursor,
                has_past=after is not None,
                late_after=wanted.late_after,
            )
            if wanted.is_ready_only
            else MessageSource(since, cursor=cursor, is_behind=after is not None)
        )
        return await self._subscriptions.open(source, Rows("messages", f"session_id=eq.{session_id}"))

    async def _subscribe_to_partials(self, session_id: UUID) -> Subscription[Partial]:
        return self._subscriptions.open_partials(Broadcasts(partials.topic(session_id), partials.EVENT), inputs.partial)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a subscriber asked for."""

    session_id: UUID
    after: int | None
    is_ready_only: bool
    late_after: float
