"""What a worker does about what it holds: leases, lost claims, outages, its end."""

import asyncio

import pytest
from support import queue, rows

from babelroom import Progress, TranslationWorker

LEASED_UNTIL = "select leased_until from private.translation_jobs where message_id = %s"
RENEWED = "leased_until > %s from private.translation_jobs where message_id = %s"
UNTOUCHED = "select count(*) from private.translation_jobs where claims > 0 or leased_until is not null"


@pytest.fixture
def brief(settings, translator):
    """A worker with one lane, whose leases are brief."""
    return TranslationWorker(settings, concurrency=1, lease=0.6, translator=translator)


async def test_a_lease_is_extended_while_the_work_goes_on(brief, settings, session, say, translator, database, until):
    """Longer than it lasts: another worker finds nothing, and the message is translated once."""
    translator.hold("slow")
    [slow] = await say(session, "slow")
    working = asyncio.create_task(brief.run_once())
    await translator.until_begun()
    for _ in range(4):
        await until(RENEWED, rows.value(database, LEASED_UNTIL, slow.id), slow.id)
    assert await TranslationWorker(settings, translator=translator).run_once() == Progress()
    translator.let_go()
    assert await working == Progress(translated=1)
    assert translator.begun == ["slow"]


async def test_what_waits_for_a_lane_is_held_too(brief, session, say, translator, database, until):
    """A turn's later messages are extended with the first."""
    translator.hold("one")
    messages = await say(session, "one", "two")
    working = asyncio.create_task(brief.run_once())
    await translator.until_begun()
    held = [message for message in messages if rows.every(database, LEASED_UNTIL, message.id)]
    for message in held:
        for _ in range(3):
            await until(RENEWED, rows.value(database, LEASED_UNTIL, message.id), message.id)
    translator.let_go()
    assert await working == Progress(translated=2)


async def test_the_work_on_a_lost_claim_is_dropped(brief, session, say, translator, database):
    """Somebody else has the message: the translation is cancelled, and nothing of it is written."""
    translator.hold("slow")
    [slow] = await say(session, "slow")
    working = asyncio.create_task(brief.run_once())
    await translator.until_begun()
    queue.let_lease_run_out(database, slow.id)
    for claimed in queue.claim(database):
        await translator.until_cancelled()
        assert queue.told(database, queue.COMPLETE, claimed) == "ok"
    assert await working == Progress(lost=1)
    assert rows.value(database, "select translation from messages") == "Hola"


async def test_a_message_that_a_client_moved_on_is_dropped(brief, session, say, translator, database):
    """As is one that was deleted."""
    translator.hold("one")
    [message] = await say(session, "one")
    working = asyncio.create_task(brief.run_once())
    await translator.until_begun()
    database.execute("update messages set status = 'displayed' where id = %s", [message.id])
    await translator.until_cancelled()
    assert await working == Progress(lost=1)


async def test_a_translation_is_stored_when_supabase_is_back(far, network, session, say, translator):
    """An outage in the middle of the work: nothing is lost, nothing translated twice."""
    translator.hold("one")
    await say(session, "one")
    worker = TranslationWorker(far, translator=translator)
    working = asyncio.create_task(worker.run_once())
    await translator.until_begun()
    with network.resetting("/rest"):
        translator.let_go()
        await network.until(lambda: network.requests["POST", "/rest/v1/rpc/complete_message"] > 1)
    assert await working == Progress(translated=1)
    assert translator.begun == ["one"]


async def test_it_waits_for_supabase(far, network, session, say, translator, until, running):
    """run() tries again until it is there."""
    with network.answering(503, "/rest", times=3):
        running(TranslationWorker(far, translator=translator))
        await network.until(lambda: network.requests["POST", "/rest/v1/rpc/claim_messages"])
    await say(session, "one")
    await until("exists (select from messages where translation is not null)")


async def test_a_lost_answer_to_a_claim_loses_no_message(far, network, session, say, translator, until, running):
    """They come back when the lease that nobody knows of has run out."""
    quick = far.model_copy(update={"poll_interval": 0.2})
    await say(session, "one")
    with network.losing_answers("/rest/v1/rpc/claim_messages", times=1):
        running(TranslationWorker(quick, lease=0.5, translator=translator))
        await until("exists (select from messages where translation is not null)")
    assert translator.begun == ["one"]


async def test_stopping_finishes_what_is_begun_and_gives_back_the_rest(
    settings, session, say, room, translator, statuses, database
):
    """And then run() returns."""
    worker = TranslationWorker(settings, concurrency=1, translator=translator)
    translator.hold("under way")
    await say(session, "under way", "next")
    await say(await room.sessions.create_session(), "elsewhere")
    working = asyncio.create_task(worker.run())
    await translator.until_begun()
    worker.stop()
    translator.let_go()
    async with asyncio.timeout(10):
        await working
    assert statuses() == {"translated": 1, "queued": 2}
    assert rows.value(database, UNTOUCHED) == 1  # by the claim that came to its end
    assert translator.begun == ["under way"]


async def test_what_takes_too_long_is_given_back(brief, session, say, translator, statuses):
    """The patience is that of a lease."""
    translator.hold("slow")
    await say(session, "slow")
    working = asyncio.create_task(brief.run())
    await translator.until_begun()
    brief.stop()
    async with asyncio.timeout(10):
        await working
    assert statuses() == {"queued": 1}
    assert (brief.progress.released, translator.cancelled) == (1, ["slow"])


async def test_cancelling_gives_everything_back(brief, session, say, translator, statuses):
    """Nothing waits for a lease to run out."""
    translator.hold("slow")
    await say(session, "slow")
    working = asyncio.create_task(brief.run())
    await translator.until_begun()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert statuses() == {"queued": 1}


async def test_stopping_an_idle_worker_ends_it(worker, running):
    """No poll is awaited, nor a pause."""
    task = running(worker)
    await asyncio.sleep(0)
    worker.stop()
    async with asyncio.timeout(5):
        await task
