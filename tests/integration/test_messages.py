"""A message from queued to displayed."""

import asyncio
from uuid import uuid4

import pytest

from babelroom import (
    Conflict,
    InvalidInput,
    MessageNotFound,
    MessageStatus,
    PerformanceMetrics,
    SessionExpired,
    SessionNotFound,
)

METRICS = PerformanceMetrics(
    audio_recording_start=1, audio_recording_end=2, whisper_request_start=3, whisper_response_end=4,
    translation_request_start=5, translation_response_end=6, message_delivery_time=7, total_end_to_end_time=8,
)  # fmt: skip


async def test_a_message_goes_from_queued_to_displayed(room, session, user):
    """Each step stamps its time by the database's clock and takes the next rev; seq stays."""
    queued = await room.messages.create_message(session.id, user, "Good morning!", "en", "es")
    assert (queued.status, queued.translation, queued.processed_at) == (MessageStatus.QUEUED, None, None)
    ready = await room.messages.update_message_translation(queued.id, "¡Buenos días!", METRICS)
    assert (ready.status, ready.translation) == (MessageStatus.PROCESSING, "¡Buenos días!")
    assert PerformanceMetrics.model_validate(ready.performance_metrics) == METRICS
    await room.messages.mark_message_displayed(queued.id)
    [displayed] = await room.messages.get_session_messages(session.id)
    assert displayed.status is MessageStatus.DISPLAYED
    assert queued.created_at < displayed.processed_at < displayed.displayed_at
    assert [message.seq for message in (queued, ready, displayed)] == [1, 1, 1]
    assert [message.rev for message in (queued, ready, displayed)] == [1, 2, 3]


async def test_the_target_language_is_the_partners(room, session, user):
    """Whoever sends need not know it."""
    await room.sessions.join_session(session.code, user, "en")
    with pytest.raises(Conflict, match="Nobody else"):
        await room.messages.create_message(session.id, user, "Hello", "en")
    await room.sessions.join_session(session.code, uuid4(), "pt-BR")
    assert (await room.messages.create_message(session.id, user, "Hello", "en")).target_lang == "pt-BR"


async def test_the_same_message_id_is_sent_once(room, session, user):
    """A resend returns the first row; another text under the same id is refused."""
    key = uuid4()
    send = room.messages.create_message
    first, again = [await send(session.id, user, "Hello", "en", "es", message_id=key) for _ in range(2)]
    assert first == again
    with pytest.raises(Conflict, match="different message"):
        await send(session.id, user, "Goodbye", "en", "es", message_id=key)
    assert await room.messages.get_session_messages(session.id) == [first]


async def test_a_message_needs_a_live_session(room, session, user, database):
    """Unknown and expired are told apart."""
    with pytest.raises(SessionNotFound):
        await room.messages.create_message(uuid4(), user, "Hello", "en", "es")
    database.execute("update sessions set expires_at = now() where id = %s", [session.id])
    with pytest.raises(SessionExpired):
        await room.messages.create_message(session.id, user, "Hello", "en", "es")


async def test_an_expired_session_says_so_also_without_a_partner(room, session, user, database):
    """Not that nobody else is there."""
    database.execute("update sessions set expires_at = now() where id = %s", [session.id])
    with pytest.raises(SessionExpired):
        await room.messages.create_message(session.id, user, "Hello", "en")


async def test_a_message_of_an_expired_session_may_still_finish(room, session, user, database):
    """What was said before is translated and displayed."""
    message = await room.messages.create_message(session.id, user, "Hello", "en", "es")
    database.execute("update sessions set expires_at = now() where id = %s", [session.id])
    await room.messages.update_message_translation(message.id, "Hola")
    await room.messages.mark_message_displayed(message.id)
    assert (await room.messages.get_session_messages(session.id))[0].status is MessageStatus.DISPLAYED


async def test_storing_the_same_translation_again_is_no_error(room, session, user):
    """The answer to the first try may have been lost, and the reader been quick."""
    message = await room.messages.create_message(session.id, user, "Hello", "en", "es")
    await room.messages.update_message_translation(message.id, "Hola")
    await room.messages.mark_message_displayed(message.id)
    assert (await room.messages.update_message_translation(message.id, "Hola")).status is MessageStatus.DISPLAYED
    with pytest.raises(Conflict, match="displayed cannot become"):
        await room.messages.update_message_translation(message.id, "Adiós")


async def test_an_unknown_message_has_no_translation(room):
    """Nothing is written."""
    with pytest.raises(MessageNotFound):
        await room.messages.update_message_translation(uuid4(), "Hola")
    await room.messages.mark_message_displayed(uuid4())


async def test_history_has_pages_in_both_directions(room, session, user):
    """The oldest first; cursors by seq; the latest on request."""
    for number in range(1, 8):
        await room.messages.create_message(session.id, user, f"number {number}", "en", "es")

    async def seqs(limit, **cursor):
        return [message.seq for message in await room.messages.get_session_messages(session.id, limit, **cursor)]

    assert await seqs(3) == [1, 2, 3]
    assert await seqs(3, after=3) == [4, 5, 6]
    assert await seqs(3, before=3) == [1, 2]
    assert await seqs(3, latest=True) == [5, 6, 7]
    assert await seqs(3, before=5, latest=True) == [2, 3, 4]
    with pytest.raises(InvalidInput, match="limit"):
        await seqs(0)


async def test_concurrent_writers_get_places_without_holes(room, partner, session, user):
    """Seq follows commit order; nobody shares a place."""
    await asyncio.gather(*(
        client.messages.create_message(session.id, user, f"{number}", "en", "es")
        for number in range(20)
        for client in (room, partner)
    ))  # fmt: skip
    messages = await room.messages.get_session_messages(session.id)
    assert [message.seq for message in messages] == list(range(1, 41))
    assert [message.created_at for message in messages] == sorted(message.created_at for message in messages)


async def test_updates_and_upserts_of_one_message_do_not_deadlock(room, session, user):
    """Single-row statements take the row and the counter in one order."""
    message = await room.messages.create_message(session.id, user, "Hello", "en", "es")
    row = {"id": str(message.id), "session_id": str(session.id), "user_id": str(user), "original": "Hello",
           "original_lang": "en", "target_lang": "es"}  # fmt: skip
    table = room.supabase.table("messages")
    await asyncio.gather(*(
        query.execute()
        for n in range(40)
        for query in (table.update({"translation": f"{n}"}).eq("id", str(message.id)), table.upsert(row))
    ))  # fmt: skip
    [after] = await room.messages.get_session_messages(session.id)
    assert (after.seq, after.rev) == (1, 81)


async def test_metrics_are_finite_numbers(room, session, user):
    """What JSON cannot hold is refused before anything is sent."""
    message = await room.messages.create_message(session.id, user, "Hello", "en", "es")
    broken = METRICS.model_copy(update={"total_end_to_end_time": float("nan")})
    with pytest.raises(InvalidInput, match="finite"):
        await room.messages.update_message_translation(message.id, "Hola", broken)
