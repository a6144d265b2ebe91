"""The whole chain with a real translator and no key: text in, a real translation out, delivered, displayed, counted."""

import asyncio
import shutil
from uuid import uuid4

import pytest

from babelroom import Babelroom, MessageStatus, PerformanceMetrics, Settings

pytestmark = pytest.mark.skipif(
    shutil.which("apertium") is None,
    reason="apertium is not installed: apt install apertium apertium-eng-spa apertium-es-pt",
)


@pytest.fixture
def connect(stack):
    """A client that translates by apertium alone."""

    def connect():
        return Babelroom(Settings.load(url=stack.url, key=stack.publishable_key, translators=("apertium",)))

    return connect


@pytest.mark.usefixtures("supabase")
@pytest.mark.parametrize(
    ("text", "source", "target", "word"),
    [
        ("The train leaves at nine.", "en", "es", "tren"),
        ("Mi hermana vive cerca del puerto.", "es", "en", "sister"),
        ("Good morning, the house is white.", "en", "pt", "branca"),
    ],
)
async def test_what_one_says_the_other_reads_in_their_language(connect, text, source, target, word):
    """Once, translated by apertium; once it is on the screen, the row and the figures say how long it took."""
    me, other = uuid4(), uuid4()
    async with connect() as mine, connect() as theirs, asyncio.timeout(60):
        session = await mine.sessions.create_session()
        await mine.sessions.join_session(session.code, me, source)
        await theirs.sessions.join_session(session.code, other, target)
        async with theirs.messages.stream(session.id, ready_only=True, since_start=True) as heard:
            said = await mine.translate_text(session.id, me, text, source)
            read = await anext(heard)
            await theirs.messages.mark_message_displayed(read.id)
        [shown] = await mine.messages.get_session_messages(session.id)
        stats = await mine.stats(session.id)
    assert (read.id, read.translation) == (said.message.id, said.translation.text)
    assert word in read.translation
    assert said.translation.provider.startswith("apertium")
    assert shown.status is MessageStatus.DISPLAYED
    metrics = PerformanceMetrics.model_validate(shown.performance_metrics)
    assert metrics.total_end_to_end_time > metrics.message_delivery_time > 0
    assert stats.hops["total"].p50 == pytest.approx(metrics.total_end_to_end_time)
    assert (set(stats.hops), stats.messages) == ({"translate", "deliver", "total"}, {MessageStatus.DISPLAYED: 1})
