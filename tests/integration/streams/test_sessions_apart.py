"""What happens in one session is no traffic for those who follow another."""

import asyncio
import json

import pytest

ROWS = 500
FILL = {
    "messages": "insert into messages (session_id, user_id, original, original_lang, target_lang)"
    " select %s, gen_random_uuid(), 'Hi', 'en', 'es' from generate_series(1, %s)",
    "user_activity": "insert into user_activity (session_id, user_id, activity_type)"
    " select %s, gen_random_uuid(), 'typing' from generate_series(1, %s)",
}


def events(network):
    """The server's frames that are no answers: those to heartbeats come by the clock."""
    [socket] = network.sockets
    frames = [json.loads(frame) for frame in socket.frames]
    return [frame for frame in frames if "phx_reply" not in json.dumps(frame)]


@pytest.mark.parametrize("table", FILL)
async def test_rows_of_another_session_send_no_frame(network, connect, writer, session, user, database, table):
    """Five hundred are written and deleted there; one message here is all that comes."""
    other = await writer.sessions.create_session()
    messages = asyncio.Queue()
    client = connect(heartbeat_interval=25)  # a busy machine must not mean a second socket
    await client.messages.subscribe_to_messages(session.id, messages.put_nowait)
    await client.activity.subscribe_to_activities(session.id, print)
    before = len(events(network))
    database.execute(FILL[table], [other.id, ROWS])
    database.execute(f"delete from {table} where session_id = %s", [other.id])
    sent = await writer.messages.create_message(session.id, user, "Hello", "en", "es")
    assert await asyncio.wait_for(messages.get(), 10) == sent
    assert len(events(network)) == before + 1
