"""What becomes of calls whose answers are lost, or that a server in trouble refuses."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from support import rows

from babelroom import ConnectionFailed, DeadlineExceeded, Message, MessageStatus, Unavailable, deadline

TRANSPORTS = pytest.mark.parametrize("transport", ["aiohttp", "httpx"])


async def send(client, session, number, *, in_flight=32):
    """So many messages; what each call returned."""
    room, user = asyncio.Semaphore(in_flight), uuid4()

    async def send_one(count):
        async with room:
            return await client.messages.create_message(session.id, user, f"{count}", "en", "es")

    sent = await asyncio.gather(*map(send_one, range(number)))
    return sorted(sent, key=lambda message: message.seq)


def table(database, session):
    """The session's messages as they stand."""
    return [
        Message.model_validate(row)
        for row in rows.every(database, "select * from messages where session_id = %s order by seq", session.id)
    ]


@pytest.mark.parametrize(("transport", "number"), [("aiohttp", 1_000), ("httpx", 300)])
async def test_a_send_whose_answer_is_lost_is_one_message(network, connect, session, database, transport, number):
    """Each answer is lost once, with 32 in flight: no call fails, and each returns the table's row."""
    lost = network.losing_answers("/rest/v1/rpc/send_message", once_each=True)
    sent = await send(connect(transport=transport, deadline=30), session, number)
    assert len(sent) == lost.hits == number
    assert sent == table(database, session)


async def test_joins_whose_answers_are_lost_count_once(network, connect, session, database):
    """Ten users, who then are ten."""
    lost = network.losing_answers("/rest/v1/rpc/join_session", once_each=True)
    client = connect()
    await asyncio.gather(*(client.sessions.join_session(session.code, uuid4(), "en") for _ in range(10)))
    assert lost.hits == 10
    assert rows.value(database, "select user_count from sessions where id = %s", session.id) == 10


async def test_a_session_whose_answer_is_lost_is_created_once(network, connect, database):
    """Ten calls, ten sessions, each with the code that was returned."""
    lost = network.losing_answers("/rest/v1/rpc/create_session", once_each=True)
    client = connect()
    created = await asyncio.gather(*(client.sessions.create_session() for _ in range(10)))
    assert lost.hits == 10
    assert sorted(rows.column(database, "select code from sessions")) == sorted(session.code for session in created)


async def test_leaving_whose_answers_are_lost_counts_once(network, connect, session, user, database):
    """Also the second time, which does nothing."""
    client = connect()
    await client.sessions.join_session(session.code, user, "en")
    await client.sessions.join_session(session.code, uuid4(), "es")
    for _ in range(2):
        with network.losing_answers("/rest/v1/rpc/leave_session", once_each=True) as lost:
            await client.sessions.leave_session(session.id, user)
        assert lost.hits == 1
    assert rows.value(database, "select user_count from sessions where id = %s", session.id) == 1


async def test_joining_by_the_code_alone_is_not_repeated(network, connect, session, database):
    """The answer is lost, and the call says that it may have counted."""
    network.losing_answers("/rest/v1/rpc/join_session", once_each=True)
    with pytest.raises(ConnectionFailed) as failed:
        await connect().sessions.join_session(session.code)
    assert failed.value.may_have_arrived
    assert rows.value(database, "select user_count from sessions where id = %s", session.id) == 1


async def test_extending_a_session_is_not_repeated(network, connect, session, database):
    """It would be extended twice."""
    network.losing_answers("/rest/v1/rpc/extend_session", once_each=True)
    with pytest.raises(ConnectionFailed):
        await connect().sessions.extend_session(session.id, timedelta(hours=1))
    ends = rows.value(database, "select expires_at from sessions where id = %s", session.id)
    assert ends == session.expires_at + timedelta(hours=1)


async def test_a_translation_whose_answer_is_lost_is_stored_once(network, connect, session, user, database):
    """The repeat returns the table's row."""
    client = connect()
    message = await client.messages.create_message(session.id, user, "Hello", "en", "es")
    lost = network.losing_answers("/rest/v1/messages", method="PATCH", once_each=True)
    translated = await client.messages.update_message_translation(message.id, "Hola")
    assert lost.hits == 1
    assert [translated] == table(database, session)


async def test_a_translation_that_was_displayed_meanwhile_is_no_conflict(network, connect, writer, session, user):
    """Its answer is lost, and the reader is quicker than the repeat."""
    client = connect()
    message = await client.messages.create_message(session.id, user, "Hello", "en", "es")
    network.losing_answers("/rest/v1/messages", method="PATCH", times=1)
    trouble = network.answering(503, "/rest/v1/messages", method="PATCH")
    translating = asyncio.create_task(client.messages.update_message_translation(message.id, "Hola"))
    await network.until(lambda: trouble.hits)
    await writer.messages.mark_message_displayed(message.id)
    trouble.stop()
    translated = await translating
    assert (translated.translation, translated.status) == ("Hola", MessageStatus.DISPLAYED)


async def test_a_display_whose_answer_is_lost_makes_one_state(network, connect, session, user, database):
    """Queued, translated, displayed: rev 3, not 4."""
    client = connect()
    message = await client.messages.create_message(session.id, user, "Hello", "en", "es")
    await client.messages.update_message_translation(message.id, "Hola")
    lost = network.losing_answers("/rest/v1/messages", method="PATCH", once_each=True)
    await client.messages.mark_message_displayed(message.id)
    assert lost.hits == 1
    assert [(row.status, row.rev) for row in table(database, session)] == [(MessageStatus.DISPLAYED, 3)]


@TRANSPORTS
async def test_passing_trouble_is_retried_within_the_deadline(network, connect, session, user, database, transport):
    """Three refusals, then it is done, once."""
    trouble = network.answering(503, "/rest/", times=3)
    with deadline(5):
        sent = await connect(transport=transport).messages.create_message(session.id, user, "Hello", "en", "es")
    assert trouble.hits == 3
    assert [sent] == table(database, session)


@TRANSPORTS
async def test_lasting_trouble_ends_with_the_deadline(network, connect, session, user, transport):
    """In the error that it was, with its status."""
    network.answering(503, "/rest/")
    begun = time.monotonic()
    with deadline(0.5), pytest.raises(Unavailable) as trouble:
        await connect(transport=transport).messages.create_message(session.id, user, "Hello", "en", "es")
    assert trouble.value.status == 503
    assert time.monotonic() - begun < 1.5


@TRANSPORTS
async def test_silence_ends_with_the_deadline(network, connect, session, user, transport):
    """Half-open connections say nothing at all."""
    network.silence(new_too=True)
    begun = time.monotonic()
    with deadline(0.5), pytest.raises(DeadlineExceeded, match=r"0\.5 s"):
        await connect(transport=transport).messages.create_message(session.id, user, "Hello", "en", "es")
    assert time.monotonic() - begun < 1.5


@TRANSPORTS
async def test_a_refused_connection_carried_nothing(network, connect, session, user, transport):
    """Nobody listens: whatever was asked may be asked again."""
    client = connect(transport=transport)
    async with network.refusing():
        with deadline(1), pytest.raises(ConnectionFailed) as failed:
            await client.messages.create_message(session.id, user, "Hello", "en", "es")
    assert not failed.value.may_have_arrived


@TRANSPORTS
async def test_a_reset_connection_may_have_carried_it(network, connect, session, user, transport):
    """Nobody can tell from here."""
    network.resetting("/rest/")
    with deadline(1), pytest.raises(ConnectionFailed) as failed:
        await connect(transport=transport).messages.create_message(session.id, user, "Hello", "en", "es")
    assert failed.value.may_have_arrived


@TRANSPORTS
async def test_what_counts_each_time_is_repeated_while_it_cannot_have_arrived(
    network, connect, session, database, transport
):
    """Joining by the code alone, before anybody listens."""
    client = connect(transport=transport)
    async with network.refusing():
        joining = asyncio.create_task(client.sessions.join_session(session.code))
        await asyncio.sleep(0.2)  # some refusals; that there are none yet would change nothing
    await joining
    assert rows.value(database, "select user_count from sessions where id = %s", session.id) == 1
