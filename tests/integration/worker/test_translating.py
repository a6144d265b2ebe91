"""What a worker does with what waits: order, parallelism, results, failures."""

import asyncio

import pytest
from support import rows

from babelroom import (
    Babelroom,
    ConfigurationError,
    InvalidInput,
    MeteredMetrics,
    PermissionDenied,
    Progress,
    Settings,
    TranslationWorker,
    TranslatorUnavailable,
)

ALL_TRANSLATED = "not exists (select from messages where translation is null)"
JOB = "select claims, failures, leased_until from private.translation_jobs where message_id = %s"


@pytest.fixture
async def others(room):
    """Three sessions besides `session`."""
    return [await room.sessions.create_session() for _ in range(3)]


async def test_it_translates_what_waits_and_ends(worker, session, say, room):
    """With run_once()."""
    [hello] = await say(session, "Hello")
    assert await worker.run_once() == Progress(translated=1)
    [message] = await room.messages.get_session_messages(session.id)
    assert (message.id, message.translation, message.status) == (hello.id, "<Hello>", "processing")


async def test_an_empty_queue_is_the_end(worker):
    """Of run_once()."""
    assert await worker.run_once() == Progress()


async def test_a_session_is_translated_in_order(worker, session, say, translator, database):
    """Whatever could be done at once: each message begins when the one before has ended, and is stored after it."""
    texts = [f"line {number}" for number in range(12)]
    await say(session, *texts)
    await worker.run_once()
    assert (translator.begun, translator.at_once) == (texts, 1)
    assert rows.column(database, "select original from messages order by processed_at") == texts


async def test_the_last_turns_are_the_context(settings, translator, session, say):
    """As many as the settings say, the oldest first; what waits behind a message is none of it."""
    await say(session, "one", "two", "three", "four")
    known = settings.model_copy(update={"context_turns": 2})
    await TranslationWorker(known, translator=translator).run_once()
    assert translator.contexts == [(), ("one",), ("one", "two"), ("two", "three")]


async def test_sessions_are_translated_at_once(worker, session, others, say, room, translator):
    """As many as the concurrency says, and no more."""
    rooms = [session, *others, await room.sessions.create_session()]
    for each in rooms:
        await say(each, f"in {each.code}")
    translator.hold(*(f"in {each.code}" for each in rooms))
    working = asyncio.create_task(worker.run_once())
    await translator.until_begun(4)
    translator.let_go()
    await working
    assert translator.at_once == 4


async def test_one_lane_takes_turns(settings, session, others, say, translator):
    """A long conversation does not keep a short one waiting until its end."""
    await say(session, "one", "two", "three", "four")
    await say(others[0], "short")
    await TranslationWorker(settings, concurrency=1, translator=translator).run_once()
    assert translator.begun.index("short") < 3


async def test_metrics_tell_when_and_what_it_used(worker, session, say, room):
    """The text was there when it was queued; the provider's usage is kept."""
    await say(session, "Hello")
    await worker.run_once()
    [message] = await room.messages.get_session_messages(session.id)
    metrics = MeteredMetrics.model_validate(message.performance_metrics)
    queued = message.queued_at.timestamp() * 1_000
    assert metrics.audio_recording_start == metrics.whisper_response_end == pytest.approx(queued, abs=1)
    assert queued - 1 <= metrics.translation_request_start <= metrics.translation_response_end
    assert metrics.total_end_to_end_time == pytest.approx(metrics.translation_response_end - queued, abs=1)
    assert [usage.input_tokens for usage in metrics.usage] == [7]


async def test_poison_is_parked_with_its_error(settings, session, say, room, database, translator, until, running):
    """It is tried as often as the settings say; what is behind it is translated meanwhile."""
    database.execute("update private.settings set retry_delay = '1 ms', max_failures = 3")
    translator.poison.add("poison")
    await say(session, "before", "poison", "after")
    quick = settings.model_copy(update={"poll_interval": 0.05})
    working = running(worker := TranslationWorker(quick, translator=translator))
    await until("exists (select from messages where status = 'failed')")
    worker.stop()
    await working
    found = {message.original: message for message in await room.messages.get_session_messages(session.id)}
    assert (found["poison"].error, found["poison"].translation) == ("That cannot be said.", None)
    assert (found["before"].translation, found["after"].translation) == ("<before>", "<after>")
    assert (translator.begun.count("poison"), worker.progress.failed) == (3, 3)


async def test_a_translation_that_cannot_be_stored_is_a_failure(worker, session, say, database, translator):
    """Its reason is kept, and the worker goes on."""
    database.execute("update private.settings set max_failures = 1")
    [message] = await say(session, "x" * 10_000)
    translator.mark = lambda text: text * 5
    await worker.run_once()
    assert "40,000" in rows.value(database, "select error from messages where id = %s", message.id)


async def test_an_unavailable_translator_costs_no_attempt(worker, session, others, say, translator, database):
    """run_once() raises why; every message waits as if nobody had touched it."""
    translator.unavailable = 100
    messages = [*await say(session, "one", "two"), *await say(others[0], "three")]
    with pytest.raises(TranslatorUnavailable, match="The key is wrong"):
        await worker.run_once()
    for message in messages:
        for job in rows.every(database, JOB, message.id):
            assert job == {"claims": 0, "failures": 0, "leased_until": None}
    assert rows.column(database, "select distinct status from messages") == ["queued"]


async def test_it_goes_on_when_the_translator_is_back(worker, session, say, translator, until, running):
    """After a pause, by itself; meanwhile it says what it waits for."""
    translator.unavailable = 1
    await say(session, "one", "two")
    working = running(worker)
    await translator.until_begun()
    await until(ALL_TRANSLATED)
    worker.stop()
    await working
    assert translator.begun == ["one", "one", "two"]
    assert worker.progress.waiting is None


async def test_it_wakes_when_something_is_said(worker, session, say, until, running):
    """No poll is due for minutes."""
    running(worker)
    for text in ("one", "two", "three"):
        await say(session, text)
        await until(ALL_TRANSLATED)


async def test_it_finds_by_polls_what_realtime_does_not_tell(far, network, session, say, translator, until, running):
    """No websocket comes through."""
    quick = far.model_copy(update={"poll_interval": 0.1})
    with network.answering(503, "/realtime"):
        running(TranslationWorker(quick, translator=translator))
        for text in ("one", "two"):
            await say(session, text)
            await until(ALL_TRANSLATED)


async def test_what_is_said_while_its_session_is_held_follows(worker, session, say, translator, until, running):
    """Nobody rings again for it."""
    translator.hold("first")
    await say(session, "first")
    running(worker)
    await translator.until_begun()
    await say(session, "second")
    translator.let_go()
    await until(ALL_TRANSLATED)
    assert translator.begun == ["first", "second"]


async def test_two_workers_share_the_work(settings, session, others, say, translator, database):
    """Each message is translated once, and a session is never with both."""
    for each in (session, *others):
        await say(each, *(f"in {each.code} {number}" for number in range(10)))
    team = [TranslationWorker(settings, concurrency=2, translator=translator) for _ in range(2)]
    await asyncio.gather(*(worker.run_once() for worker in team))
    assert sorted(translator.begun) == sorted(rows.column(database, "select original from messages"))
    for each in (session, *others):
        own = [text for text in translator.begun if text.startswith(f"in {each.code}")]
        assert own == [f"in {each.code} {number}" for number in range(10)]
    assert sum(worker.progress.translated for worker in team) == 40


async def test_a_client_that_is_given_stays_open(settings, session, say, translator):
    """It is its owner's to close."""
    await say(session, "Hello")
    async with Babelroom(settings.with_secret_key(), translator=translator) as client:
        assert (await TranslationWorker(client).run_once()).translated == 1
        assert await client.check_supabase_connection()
        with pytest.raises(InvalidInput, match="Give the translator to the client"):
            TranslationWorker(client, translator=translator)


async def test_it_needs_a_secret_key(stack):
    """One sentence says which."""
    with pytest.raises(ConfigurationError, match="set SUPABASE_SECRET_KEY"):
        TranslationWorker(Settings.load(url=stack.url, key=stack.publishable_key))


@pytest.mark.parametrize("way", ["run", "run_once"])
async def test_a_key_that_is_not_secret_is_refused(stack, way):
    """At once, and not tried again."""
    settings = Settings.load(
        url=stack.url, key=stack.publishable_key, supabase_secret_key=stack.publishable_key
    )  # fmt: skip
    with pytest.raises(PermissionDenied):
        await getattr(TranslationWorker(settings), way)()


@pytest.mark.parametrize("numbers", [{"concurrency": 0}, {"concurrency": 1.5}, {"lease": 0.4}, {"lease": 3_601}])
def test_numbers_have_a_range(settings, numbers):
    """What the database would refuse, or what nobody can mean."""
    with pytest.raises(InvalidInput):
        TranslationWorker(settings, **numbers)


async def test_a_text_that_the_provider_does_not_know_is_no_translation(settings, session, say, database):
    """Handed on as it is, it would count as translated for ever: the message says what is missing instead."""
    database.execute("update private.settings set max_failures = 1")
    await say(session, "My trousers are on fire")
    known = settings.model_copy(update={"translators": ("phrasebook",)})
    assert await TranslationWorker(known).run_once() == Progress(failed=1)
    [(status, error)] = database.execute("select status, error from messages").fetchall()
    assert (status, error.partition(":")[0]) == ("failed", "phrasebook does not know this text")
