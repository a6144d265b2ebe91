"""Following the rows of a table."""

from uuid import uuid4

import pytest


@pytest.fixture
def follow(inbox):
    """Subscribes to notes, and is sure of what comes from then on."""

    async def subscribe(db, event="*", **binding):
        changes, answers = inbox(), inbox()
        channel = db.channel(str(uuid4()))
        channel.on_postgres_changes(event, changes.put, schema="public", **{"table": "notes", **binding})
        channel.on_system(answers.put)
        await channel.subscribe(lambda _state, error: answers.put(error) if error else None)
        answer = await answers.next()
        if isinstance(answer, Exception):
            raise answer
        return changes

    return subscribe


@pytest.fixture
def note(anyone):
    """Writes notes."""

    async def write(room, db=anyone, body="first"):
        return (await db.table("notes").insert({"room_id": room["id"], "body": body}).execute()).data[0]

    return write


async def test_changes_are_heard(anyone, follow, note, room):
    """An insert, an update, a delete."""
    made = await room()
    changes = await follow(anyone)
    written = await note(made)
    heard = [await changes.next()]
    await anyone.table("notes").update({"body": "second"}).eq("id", written["id"]).execute()
    heard.append(await changes.next())
    await anyone.table("notes").delete().eq("id", written["id"]).execute()
    heard.append(await changes.next())
    assert [
        (data["type"], data.get("record"), data.get("old_record")) for data in (change["data"] for change in heard)
    ] == [
        ("INSERT", written, None),
        ("UPDATE", written | {"body": "second"}, {"id": written["id"]}),
        ("DELETE", None, {"id": written["id"]}),
    ]


async def test_filter_leaves_out_other_rows(anyone, follow, note, room):
    """Only the room that was asked for."""
    mine, other = await room(), await room()
    changes = await follow(anyone, filter=f"room_id=eq.{mine['id']}")
    await note(other)
    here = await note(mine)
    assert (await changes.next())["data"]["record"] == here


async def test_binding_to_one_event(anyone, follow, note, room):
    """An update alone."""
    made = await room()
    changes = await follow(anyone, "UPDATE", filter=f"room_id=eq.{made['id']}")
    written = await note(made)
    await anyone.table("notes").update({"body": "second"}).eq("id", written["id"]).execute()
    assert (await changes.next())["data"]["record"] == written | {"body": "second"}


async def test_policy_hides_a_row(anyone, follow, member, note, room):
    """From those who may not read it; its author hears of it."""
    made, author = await room(), await member()
    strangers, authors = [await follow(db, "INSERT", filter=f"room_id=eq.{made['id']}") for db in (anyone, author)]
    signed, unsigned = await note(made, author), await note(made)
    assert [(await authors.next())["data"]["record"] for _ in range(2)] == [signed, unsigned]
    assert (await strangers.next())["data"]["record"] == unsigned


async def test_secret_key_hears_every_row(admin, follow, member, note, room):
    """Whoever wrote it."""
    made = await room()
    changes = await follow(admin, filter=f"room_id=eq.{made['id']}")
    signed = await note(made, await member())
    assert (await changes.next())["data"]["record"] == signed


async def test_table_that_is_not_there(anyone, follow):
    """It is an error of the channel."""
    with pytest.raises(Exception, match="Unable to subscribe to changes"):
        await follow(anyone, table="nowhere")
