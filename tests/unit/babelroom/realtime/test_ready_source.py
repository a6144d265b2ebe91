"""The past by seq, then the states by rev: every message once, in order, whatever the transport does."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from support.messages import state, translated

from babelroom.realtime import ready_source
from babelroom.realtime.message_source import PAGE
from babelroom.realtime.ready_source import ReadySource
from babelroom.realtime.socket import Change

FOREVER = 10.0**6


class Table:
    """What the database would answer, but for failures."""

    def __init__(self):
        self.rows = {}
        self.rev = 0
        self.failures = 0

    def write(self, seq=None, *, is_ready=False):
        self.rev += 1
        self.rows[seq or self.rev] = (translated if is_ready else state)(self.rev, seq or self.rev)
        return self.rows[seq or self.rev]

    async def since(self, rev, limit):
        return self._answer(sorted((m for m in self.rows.values() if m.rev > rev), key=lambda m: m.rev)[:limit])

    async def page(self, seq, limit):
        return self._answer([self.rows[each] for each in sorted(self.rows) if each > seq][:limit])

    async def last_rev(self):
        return self._answer(max((m.rev for m in self.rows.values()), default=0))

    def _answer(self, answer):
        if self.failures:
            self.failures -= 1
            raise OSError("lost")
        return answer

    def source(self, **options):
        options = {"after": 0, "has_past": True, "late_after": FOREVER} | options
        return ReadySource(self.since, self.page, self.last_rev, **options)


async def catch_up(source):
    """Everything that can be told now."""
    told = []
    while source.is_behind:
        await source.fetch()
        told += source.hand_out(10_000)
    return told + source.hand_out(10_000)


def change(message):
    return Change(record=message.model_dump(mode="json"))


async def test_it_begins_with_the_past():
    """By seq, over several pages, though the states have another order."""
    table = Table()
    for seq in [table.write().seq for _ in range(3 * PAGE)][::-1]:
        table.write(seq, is_ready=True)
    assert [m.seq for m in await catch_up(table.source())] == list(range(1, 3 * PAGE + 1))


async def test_without_a_past_only_what_is_said_from_now_on_comes():
    """Also when what was said before is translated only now."""
    table = Table()
    table.write()
    source = table.source(after=table.rev, has_past=False)
    source.take(change(table.write(1, is_ready=True)))
    source.take(change(table.write(is_ready=True)))
    assert [m.seq for m in source.hand_out(9)] == [3]


async def test_events_are_enough_while_none_is_missing():
    """Nothing is fetched."""
    table = Table()
    source = table.source(has_past=False)
    table.failures = 99
    source.take(change(table.write()))
    source.take(change(table.write(1, is_ready=True)))
    assert [m.seq for m in source.hand_out(9)] == [1]
    assert not source.is_behind


async def test_a_gap_longer_than_a_page_is_read_by_seq():
    """The first page of states has later messages than the last one: none may come before its turn."""
    table = Table()
    source = table.source()
    await catch_up(source)
    first = table.write()
    for _ in range(PAGE + 50):
        table.write(is_ready=True)
    table.write(first.seq, is_ready=True)
    source.ring()
    assert [m.seq for m in await catch_up(source)] == list(range(1, PAGE + 52))


async def test_a_late_one_is_found_in_a_long_gap():
    """It was passed over before, and lies behind the place that was reached."""
    table = Table()
    table.write()
    source = table.source(late_after=0.0)
    assert await catch_up(source) == []
    table.write(1, is_ready=True)
    for _ in range(PAGE + 50):
        table.write(is_ready=True)
    source.ring()
    came = await catch_up(source)
    assert [(m.seq, m.is_late) for m in came if m.seq <= 3] == [(1, True), (3, False)]
    assert len(came) == PAGE + 51


async def test_the_past_is_not_read_further_than_can_be_held():
    """While one holds it up."""
    table = Table()
    table.write()
    for _ in range(2 * ready_source._MOST_HELD):
        table.write(is_ready=True)
    source = table.source()
    while source.is_behind and not source.has_more:
        await source.fetch()
    assert source._conversation.held <= ready_source._MOST_HELD + PAGE


@given(data=st.data())
def test_whatever_the_transport_does_each_message_comes_once(data):
    """Events are dropped, repeated, reordered and unreadable, fetches fail; the past and gaps have several pages."""
    asyncio.run(everything_comes_once(data))


async def everything_comes_once(data):
    table, told, in_flight = Table(), [], []
    for _ in range(data.draw(st.integers(0, 8), label="messages of the past")):
        table.write(is_ready=data.draw(st.booleans(), label="ready"))
    source = table.source(
        late_after=data.draw(st.sampled_from([0.0, FOREVER]), label="late after"),
        page_size=data.draw(st.integers(1, 4), label="page size"),
    )
    for _ in range(data.draw(st.integers(0, 30), label="writes")):
        old = [seq for seq, row in table.rows.items() if row.translation is None]
        seq = data.draw(st.sampled_from([None, *old]), label="new, or which is translated")
        in_flight += [table.write(seq, is_ready=seq is not None)] * data.draw(st.integers(0, 2), label="copies")
        while in_flight and data.draw(st.booleans(), label="deliver one"):
            message = in_flight.pop(data.draw(st.integers(0, len(in_flight) - 1), label="which"))
            source.take(change(message) if data.draw(st.booleans(), label="readable") else Change(record={}))
        if data.draw(st.booleans(), label="a doorbell"):
            source.ring()
        if source.is_behind and not source.has_more and data.draw(st.booleans(), label="fetch"):
            table.failures = data.draw(st.integers(0, 1), label="fails")
            try:
                await source.fetch()
            except OSError:
                source.ring()
        told += source.hand_out(data.draw(st.integers(0, 3), label="room"))
    for seq, row in list(table.rows.items()):
        if row.translation is None:
            table.write(seq, is_ready=True)
    table.failures = 0
    source.ring()
    told += await catch_up(source)
    in_time = [message.seq for message in told if not message.is_late]
    assert in_time == sorted(in_time)
    assert sorted(message.seq for message in told) == sorted(table.rows)
