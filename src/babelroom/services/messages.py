"""Messages: queued, translated, displayed; live and in history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID, uuid4

from babelroom import inputs
from babelroom.errors import Conflict, MessageNotFound
from babelroom.models import Message, MessageStatus, MessageUpdate, PerformanceMetrics
from babelroom.realtime.message_stream import MessageStream
from babelroom.realtime.subscription import Callback, Subscription
from babelroom.realtime.subscriptions import Subscriptions
from babelroom.repositories.messages import MessageRepository

MAX_PAGE = 1_000
"""Messages in one answer: the API's max_rows."""


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

    async def subscribe_to_messages(
        self, session_id: UUID | str, on_message: Callback[Message], *, after: int | None = None
    ) -> Subscription[Message]:
        """Call back with each new state of a message; returns when changes really flow.

        Each rev comes at most once, rev rising; after a gap, the latest state of each message. Place a message by seq.
        It starts with what happens from this call on, or with the states after the rev `after`.

        Raises:
            SubscribeFailed: Realtime refused, or did not confirm in time.
        """
        subscription = await self._subscribe(inputs.uuid(session_id), after)
        subscription.deliver_to(on_message)
        return subscription

    async def stream(self, session_id: UUID | str, *, after: int | None = None) -> AsyncIterator[Message]:
        """Yield each new state of a message. The async-iterator form of subscribe_to_messages().

        It subscribes when the iteration begins.
        """
        subscription = await self._subscribe(inputs.uuid(session_id), after)
        try:
            async for message in subscription:
                yield message
        finally:
            await subscription.unsubscribe()

    async def _subscribe(self, session_id: UUID, after: int | None) -> Subscription[Message]:
        cursor = await self._messages.last_rev(session_id) if after is None else inputs.whole_number("after", after)
        subscription = Subscription[Message]()
        stream = MessageStream(subscription, partial(self._messages.since, session_id), cursor=cursor)
        await self._subscriptions.open(
            subscription,
            table="messages",
            row_filter=f"session_id=eq.{session_id}",
            on_change=stream.on_change,
            on_ready=stream.on_ready,
        )
        subscription.run(stream.catch_up())
        return subscription
