"""A message from queued to displayed."""

import asyncio
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from babelroom import (
    Babelroom,
    Conflict,
    InvalidInput,
    InvalidText,
    MessageInsert,
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


@pytest.fixture
def said(session, user):
    """Makes a message of the session, not yet sent; these columns in place of the usual ones."""

    def said(original, **columns):
        row = {"session_id": session.id, "user_id": user, "original": original}
        return MessageInsert(**(row | {"original_lang": "en", "target_lang": "es"} | columns))

    return said


@pytest.fixture
async def forgetful(supabase):
    """A client whose first answer is lost on the way, and the requests that arrived."""
    stack, requests = supabase.stack, []

    async def pass_on(request):
        requests.append(request.path)
        async with aiohttp.ClientSession() as http:
            body = await request.read()
            headers = {name: request.headers[name] for name in ("apikey", "authorization", "content-type")}
            answer = await http.request(request.method, f"{stack.url}{request.path_qs}", data=body, headers=headers)
            if len(requests) == 1:
                request.transport.abort()
            return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with Babelroom.connect(url=url, key=stack.publishable_key) as client:
        yield client, requests
    await runner.cleanup()


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


async def test_a_batch_keeps_its_order(room, session, said):
    """Seq rises in list order, and what is returned is what is stored."""
    batch = [said(f"number {number}") for number in range(10)]
    sent = await room.messages.create_messages(batch)
    assert [(message.original, message.seq) for message in sent] == [(f"number {n}", n + 1) for n in range(10)]
    assert await room.messages.get_session_messages(session.id) == sent
    assert room.timings()["messages.send_all"].calls == 1


async def test_a_batch_of_a_thousand_is_one_call(room, said):
    """The most that is allowed; all rows come back."""
    sent = await room.messages.create_messages([said(f"{number}") for number in range(1_000)])
    assert [message.seq for message in sent] == list(range(1, 1_001))


async def test_a_batch_sent_again_returns_the_first_rows(room, said):
    """Whatever has become of them; the same ids, nothing doubled."""
    batch = [said(f"{number}", id=uuid4()) for number in range(3)]
    first = await room.messages.create_messages(batch)
    assert await room.messages.create_messages(batch) == first
    translated = await room.messages.update_message_translation(first[1].id, "uno")
    assert await room.messages.create_messages(batch) == [first[0], translated, first[2]]


async def test_a_batch_whose_answer_was_lost_is_not_doubled(forgetful, room, session, said):
    """The ids are made before the first try, so the second one returns the rows of the first."""
    client, requests = forgetful
    sent = await client.messages.create_messages([said(f"{number}") for number in range(5)])
    assert len(requests) == 2
    assert await room.messages.get_session_messages(session.id) == sent


async def test_a_batch_with_another_message_under_a_known_id_is_refused(room, session, said):
    """As a whole; the error names the id."""
    known = await room.messages.create_message(session.id, uuid4(), "Hello", "en", "es")
    with pytest.raises(Conflict, match=f"different message.*{known.id}"):
        await room.messages.create_messages([said("one"), said("Goodbye", id=known.id), said("three")])
    assert await room.messages.get_session_messages(session.id) == [known]


async def test_a_batch_needs_a_live_session(room, session, said, database):
    """Unknown and expired are told apart."""
    with pytest.raises(SessionNotFound):
        await room.messages.create_messages([said("Hello", session_id=uuid4())])
    database.execute("update sessions set expires_at = now() where id = %s", [session.id])
    with pytest.raises(SessionExpired):
        await room.messages.create_messages([said("Hello")])


async def test_an_empty_batch_and_a_wrong_one_are_not_sent(room, said):
    """Nothing to send, or nothing that may be sent: no request."""
    assert await room.messages.create_messages([]) == []
    with pytest.raises(InvalidText, match=r"^messages\[1\]"):
        await room.messages.create_messages([said("Hello"), said("")])
    assert "messages.send_all" not in room.timings()


async def test_batches_and_single_messages_at_once(room, partner, session, user, said):
    """None fails; within each batch seq rises in list order and nobody comes between."""
    batches = [[said(f"{batch}.{number}") for number in range(50)] for batch in range(8)]
    *answers, _ = await asyncio.gather(
        *(client.messages.create_messages(batch) for client, batch in zip([room, partner] * 4, batches, strict=True)),
        asyncio.gather(*(
            client.messages.create_message(session.id, user, f"{number}", "en", "es")
            for number in range(20)
            for client in (room, partner)
        )),
    )  # fmt: skip
    for batch, sent in zip(batches, answers, strict=True):
        assert [message.original for message in sent] == [message.original for message in batch]
        assert [message.seq for message in sent] == list(range(sent[0].seq, sent[0].seq + 50))
    stored = await room.messages.get_session_messages(session.id, 1_000)
    assert [message.seq for message in stored] == list(range(1, 441))


async def test_the_same_batch_from_two_clients_is_sent_once(room, partner, session, said):
    """At the same moment: both get the same rows."""
    batch = [said(f"{number}", id=uuid4()) for number in range(50)]
    first, second = await asyncio.gather(*(client.messages.create_messages(batch) for client in (room, partner)))
    assert first == second == await room.messages.get_session_messages(session.id)
