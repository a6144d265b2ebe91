"""Texts that Postgres stores out of line, so that later events lack them."""

import asyncio
import random
import string

import pytest

from babelroom import MessageStatus


def text_of(length):
    """Letters that cannot be compressed much."""
    return "".join(random.Random(length).choices(string.ascii_letters, k=length))  # noqa: S311  no secret


async def ended(queue):
    """The message once it is displayed."""
    async with asyncio.timeout(10):
        while (message := await queue.get()).status is not MessageStatus.DISPLAYED:
            pass
    return message


@pytest.mark.parametrize("length", [10_000, 40_000])
async def test_a_long_message_is_whole_for_everybody_at_the_end(connect, writer, session, user, length):
    """Three subscribers get the row that REST gives, after all three moves."""
    heard = [asyncio.Queue() for _ in range(3)]
    for queue in heard:
        await connect().messages.subscribe_to_messages(session.id, queue.put_nowait)
    message = await writer.messages.create_message(session.id, user, text_of(10_000), "en", "es")
    await writer.messages.update_message_translation(message.id, text_of(length))
    await writer.messages.mark_message_displayed(message.id)
    [row] = await writer.messages.get_session_messages(session.id)
    assert (row.original, row.translation) == (text_of(10_000), text_of(length))
    assert [await ended(queue) for queue in heard] == [row] * 3


async def test_each_state_of_a_long_message_is_whole(connect, writer, session, user):
    """Each of the three, awaited before the next is made."""
    heard = asyncio.Queue()
    await connect().messages.subscribe_to_messages(session.id, heard.put_nowait)
    message = await writer.messages.create_message(session.id, user, text_of(10_000), "en", "es")
    states = [await asyncio.wait_for(heard.get(), 10)]
    translated = await writer.messages.update_message_translation(message.id, text_of(40_000))
    states.append(await asyncio.wait_for(heard.get(), 10))
    await writer.messages.mark_message_displayed(message.id)
    states.append(await asyncio.wait_for(heard.get(), 10))
    assert states == [message, translated, *await writer.messages.get_session_messages(session.id)]


async def test_a_long_message_is_whole_in_conversation_order(connect, writer, session, user):
    """Once, with its translation, for each of three subscribers."""
    heard = [asyncio.Queue() for _ in range(3)]
    for queue in heard:
        await connect().messages.subscribe_to_messages(session.id, queue.put_nowait, ready_only=True)
    message = await writer.messages.create_message(session.id, user, text_of(10_000), "en", "es")
    await writer.messages.update_message_translation(message.id, text_of(40_000))
    [row] = await writer.messages.get_session_messages(session.id)
    for queue in heard:
        came = await asyncio.wait_for(queue.get(), 10)
        assert came.model_dump(exclude={"is_late", "resume_after"}) == row.model_dump()
