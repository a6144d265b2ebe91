"""From a voice or a line of text to a message that the other person can read, on a real Supabase."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

import pytest
from support.people import Interpreting, Listening

from babelroom import (
    ActivityType,
    Babelroom,
    Conflict,
    InvalidAudio,
    InvalidInput,
    MessageStatus,
    NothingSaid,
    PerformanceMetrics,
    SessionExpired,
    SessionNotFound,
    Settings,
    TranscriptionFailed,
    TranslationFailed,
)

WAV = b"RIFF\x24\0\0\0WAVEfmt "


@dataclass
class Stage:
    """A client with people of our own behind it, and the session that it speaks in."""

    room: Babelroom
    session: object
    user: object
    translator: Interpreting

    def say(self, text="Hello there", **options):
        return self.room.translate_text(self.session.id, self.user, text, "en", "es", **options)

    def speak(self, recording=WAV, source="en", target="es", **options):
        return self.room.translate_speech(self.session.id, self.user, recording, source, target, **options)

    async def messages(self):
        return await self.room.messages.get_session_messages(self.session.id)


@pytest.fixture
def stage(stack, session, user):
    """Make a stage; its client is to be used in `async with`."""

    def make(translator=None, *, transcriber=None, **settings):
        known = Settings.load(url=stack.url, key=stack.publishable_key, **settings)
        translator = translator or Interpreting()
        return Stage(Babelroom(known, translator=translator, transcriber=transcriber), session, user, translator)

    return make


def shout(text):
    if text == "No":
        raise TranslationFailed("The model only giggled.")
    return text.upper()


async def test_a_text_becomes_a_translated_message(stage):
    """It is stored once, ready to display, and comes back with what was made of it."""
    on = stage()
    async with on.room:
        said = await on.say()
        assert await on.messages() == [said.message]
    assert (said.message.original, said.message.translation) == ("Hello there", "HELLO THERE")
    assert (said.message.status, said.message.seq) == (MessageStatus.PROCESSING, 1)
    assert (said.translation.text, said.transcript) == ("HELLO THERE", None)


async def test_the_partner_hears_it_once(stage, partner):
    """In conversation order, translated."""
    on = stage()
    async with on.room, partner.messages.stream(on.session.id, ready_only=True, since_start=True) as heard:
        said = await on.say()
        async with asyncio.timeout(10):
            assert (await anext(heard)).translation == said.message.translation


async def test_without_a_target_it_is_the_partners_language(stage, partner):
    """As with create_message()."""
    on = stage()
    async with on.room:
        with pytest.raises(Conflict, match="Nobody else is in this session"):
            await on.room.translate_text(on.session.id, on.user, "Hello", "en")
        await partner.sessions.join_session(on.session.code, uuid4(), "pt-BR")
        said = await on.room.translate_text(on.session.id, on.user, "Hello", "en")
    assert (said.message.target_lang, on.translator.asked[0].target) == ("pt-BR", "pt-BR")


async def test_all_eight_metrics_are_measured(stage):
    """Instants in order, durations above nothing; what was typed was recorded and transcribed in no time."""
    on = stage()
    async with on.room:
        metrics = PerformanceMetrics.model_validate((await on.say()).message.performance_metrics)
    now = metrics.audio_recording_start
    assert metrics.audio_recording_end == metrics.whisper_request_start == metrics.whisper_response_end == now
    assert now < metrics.translation_request_start <= metrics.translation_response_end
    assert metrics.message_delivery_time > 0
    assert metrics.total_end_to_end_time == metrics.translation_response_end - now


async def test_a_recording_is_measured_too(stage):
    """It ended when it was handed in, and began as long before as it lasts."""
    on = stage(transcriber=Listening("Hello there", duration=2.5))
    async with on.room:
        said = await on.speak()
    metrics = PerformanceMetrics.model_validate(said.message.performance_metrics)
    assert metrics.audio_recording_end - metrics.audio_recording_start == pytest.approx(2_500)
    assert metrics.audio_recording_end <= metrics.whisper_request_start <= metrics.whisper_response_end
    assert said.transcript.text == said.message.original == "Hello there"


async def test_an_app_says_when_it_recorded(stage):
    """It knows better than the recording's length does."""
    on = stage(transcriber=Listening("Hello there"))
    async with on.room:
        said = await on.speak(recorded=(1_000.0, 4_000.0))
    metrics = PerformanceMetrics.model_validate(said.message.performance_metrics)
    assert (metrics.audio_recording_start, metrics.audio_recording_end) == (1_000, 4_000)


async def test_the_display_completes_the_metrics(stage, partner):
    """The database knows when the other person saw it."""
    on = stage()
    async with on.room:
        said = await on.say()
        await partner.messages.mark_message_displayed(said.message.id)
        [shown] = await on.messages()
    delivery = (shown.displayed_at - shown.processed_at).total_seconds() * 1_000
    in_database = (shown.displayed_at - shown.created_at).total_seconds() * 1_000
    metrics = PerformanceMetrics.model_validate(shown.performance_metrics)
    assert metrics.message_delivery_time == pytest.approx(delivery)
    since_call = shown.displayed_at.timestamp() * 1_000 - metrics.audio_recording_end
    assert in_database < metrics.total_end_to_end_time <= since_call + 1


async def test_a_failure_is_seen_on_the_message(stage):
    """The original stays, with the reason, and the caller gets the error."""
    on = stage(Interpreting(shout))
    async with on.room:
        with pytest.raises(TranslationFailed, match="giggled"):
            await on.say("No")
        [message] = await on.messages()
    assert (message.status, message.error, message.original) == (
        MessageStatus.FAILED, "The model only giggled.", "No",
    )  # fmt: skip


async def test_a_call_that_is_given_up_is_seen_on_the_message(stage):
    """Cancelled in the middle of the translation."""
    translator = Interpreting()
    translator.may_end.clear()
    on = stage(translator)
    async with on.room:
        saying = asyncio.create_task(on.say())
        await translator.has_begun.wait()
        saying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saying
        [message] = await on.messages()
    assert (message.status, message.error) == (MessageStatus.FAILED, "It was given up before its translation came.")


@pytest.mark.parametrize("error", [NothingSaid(), TranscriptionFailed("No ears.")])
async def test_what_was_not_understood_is_no_message(stage, error, partner):
    """And nobody stays shown as busy."""
    on = stage(transcriber=Listening(error))
    async with on.room:
        with pytest.raises(type(error)):
            await on.speak()
        assert await on.messages() == []
        assert await partner.activity.get_session_activities(on.session.id) == []


@pytest.mark.parametrize(
    "options", [{"tone": "rude"}, {"glossary": ["a"]}, {"keep": "Ana"}, {"context": "Hi"}, {"message_id": "7"}]
)
async def test_bad_input_is_refused_before_anything_is_sent(stage, options):
    """Neither a message nor a request to a provider."""
    on = stage(transcriber=Listening("Hello"))
    async with on.room:
        with pytest.raises(InvalidInput):
            await on.say(**options)
        with pytest.raises(InvalidInput):
            await on.speak(**options)
        assert (await on.messages(), on.translator.asked) == ([], [])


@pytest.mark.parametrize("recorded", [(2.0, 1.0), (1.0,), ("a", "b"), 7])
async def test_a_recordings_instants_are_checked(stage, recorded):
    """The earlier one first."""
    on = stage(transcriber=Listening("Hello"))
    async with on.room:
        with pytest.raises(InvalidInput, match="epoch ms"):
            await on.speak(recorded=recorded)


async def test_what_is_no_recording_is_refused(stage):
    """By its first bytes."""
    on = stage(transcriber=Listening("Hello"))
    async with on.room:
        with pytest.raises(InvalidAudio):
            await on.speak(b"Hello there")


async def test_a_closed_session_refuses(stage):
    """Nothing is translated for nobody."""
    on = stage()
    async with on.room:
        await on.room.sessions.close_session(on.session.id)
        with pytest.raises(SessionExpired):
            await on.say()
    assert on.translator.asked == []


async def test_said_again_it_is_the_same_message(stage):
    """With an id of the app's own, a call that is repeated translates nothing twice."""
    on = stage()
    async with on.room:
        first = await on.say(message_id=(own := uuid4()))
        again = await on.say(message_id=own)
        assert again.message == first.message
        assert len(await on.messages()) == len(on.translator.asked) == 1


async def test_said_again_after_it_failed_it_is_another_try(stage):
    """With the same id: the message is queued again, and translated."""
    on = stage(Interpreting(shout))
    async with on.room:
        with pytest.raises(TranslationFailed):
            await on.say("No", message_id=(own := uuid4()))
        on.translator.how = str.upper
        again = await on.say("No", message_id=own)
        assert (again.message.id, again.message.translation, again.message.error) == (own, "NO", None)
        assert len(await on.messages()) == 1


async def test_the_last_turns_are_the_context(stage, partner):
    """Of both sides, the oldest first, as many as the settings say, without the text itself."""
    on = stage(context_turns=2)
    async with on.room:
        for number, text in enumerate(["One", "Dos", "Three"]):
            await (on.room, partner)[number % 2].messages.create_message(on.session.id, on.user, text, "en", "es")
        await on.say()
        await on.say(context=["Given"])
    assert [request.context for request in on.translator.asked] == [("Dos", "Three"), ("Given",)]


async def test_the_steering_reaches_the_translator(stage):
    """Tone, glossary and names, as they were given."""
    on = stage()
    async with on.room:
        await on.say(tone="formal", glossary={"there": "allí"}, keep=["Ana"])
    [request] = on.translator.asked
    assert (request.tone, request.glossary, request.keep) == ("formal", {"there": "allí"}, ("Ana",))


async def test_the_user_is_shown_as_processing_for_as_long_as_it_takes(stage, partner):
    """Renewed again and again, and idle at the end."""
    translator = Interpreting()
    translator.may_end.clear()
    on = stage(translator)
    async with on.room, partner.activity.stream(on.session.id) as shown, asyncio.timeout(20):
        saying = asyncio.create_task(on.say())
        seen = set()
        while len(seen) < 3:  # a renewal every 2 s: by the third one an unrenewed one would be over
            activity = await anext(shown)
            assert activity.activity_type is ActivityType.PROCESSING
            seen.add(activity.updated_at)
        translator.may_end.set()
        while activity.activity_type is ActivityType.PROCESSING:
            activity = await anext(shown)
        assert activity.activity_type is ActivityType.IDLE
        await saying


async def test_who_says_two_things_at_once_is_busy_until_both_are_done(stage, partner):
    """The first to end does not end the indicator."""
    translator = Interpreting(shout)
    translator.may_end.clear()
    on = stage(translator)
    async with on.room:
        slow = asyncio.create_task(on.say())
        await translator.has_begun.wait()
        with pytest.raises(TranslationFailed):
            await on.say("No")
        [activity] = await partner.activity.get_session_activities(on.session.id)
        assert activity.activity_type is ActivityType.PROCESSING
        translator.may_end.set()
        await slow
        assert await partner.activity.get_session_activities(on.session.id) == []


async def test_workers_leave_it_to_its_sender(stage, database):
    """They would translate it a second time."""
    translator = Interpreting()
    translator.may_end.clear()
    on = stage(translator)
    async with on.room:
        saying = asyncio.create_task(on.say())
        await translator.has_begun.wait()
        assert database.execute("select * from claim_messages('worker')").fetchall() == []
        translator.may_end.set()
        await saying


async def test_a_worker_that_was_quicker_wins(stage, database):
    """The sender took too long: there is one translation, and both sides read it."""
    translator = Interpreting()
    translator.may_end.clear()
    on = stage(translator)
    async with on.room:
        saying = asyncio.create_task(on.say())
        await translator.has_begun.wait()
        database.execute("update private.translation_jobs set next_attempt_at = now()")
        [job] = database.execute("select id, token from claim_messages('worker')").fetchall()
        database.execute("select complete_message(%s, %s, 'Hola')", job)
        translator.may_end.set()
        assert (await saying).message.translation == "Hola"


async def test_the_figures_of_a_session(stage, partner):
    """Each hop that was gone, messages by status, and what the models cost."""
    on = stage(transcriber=Listening("Hello there", duration=60.0))
    async with on.room:
        spoken, typed = await on.speak(), await on.say()
        for said in (spoken, typed):
            await partner.messages.mark_message_displayed(said.message.id)
        stats = await on.room.stats(on.session.id)
    assert stats.messages == {MessageStatus.DISPLAYED: 2}
    assert {name: hop.messages for name, hop in stats.hops.items()} == {
        "record": 1, "transcribe": 1, "translate": 2, "deliver": 2, "total": 2,
    }  # fmt: skip
    assert stats.hops["record"].p50 == pytest.approx(60_000)
    assert {use.model: use.cost for use in stats.usage} == {
        "gpt-4o-mini": Decimal("0.000054"), "whisper-1": Decimal("0.006"),
    }  # fmt: skip
    assert stats.cost == Decimal("0.006054")


async def test_a_session_without_messages_has_no_figures(room, session):
    """Unlike one that is not there."""
    stats = await room.stats(session.id)
    assert (stats.messages, stats.hops, stats.usage, stats.cost) == ({}, {}, (), Decimal(0))
    with pytest.raises(SessionNotFound):
        await room.stats(uuid4())
