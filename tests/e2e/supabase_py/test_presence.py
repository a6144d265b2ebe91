"""Who is there."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest


@dataclass
class Guest:
    """Somebody in a room, and what it is told of the others."""

    channel: Any
    synced: Any
    came: Any
    left: Any

    @property
    def present(self):
        return {key: bare(presences) for key, presences in self.channel.presence_state().items()}


def bare(presences):
    """The states alone."""
    return [{name: value for name, value in state.items() if name != "presence_ref"} for state in presences]


@pytest.fixture
def topic():
    """A topic that nobody uses yet."""
    return str(uuid4())


@pytest.fixture
def enter(inbox, join):
    """Enters a room under a key."""

    async def entering(db, topic, key, *, private=False):
        presence = {"key": key, "enabled": True}
        channel = db.channel(topic, {"config": {"broadcast": {}, "presence": presence, "private": private}})
        guest = Guest(channel, inbox(), inbox(), inbox())
        channel.on_presence_sync(lambda: guest.synced.put(guest.present))
        channel.on_presence_join(guest.came.put)
        channel.on_presence_leave(guest.left.put)
        await join(channel)
        return guest

    return entering


async def test_empty_room_is_told(anyone, enter, topic):
    """As empty."""
    guest = await enter(anyone, topic, "ada")
    assert await guest.synced.next() == {}


async def test_all_see_who_tracks_itself(anyone, client, enter, topic):
    """Itself too."""
    ada, bob = await enter(anyone, topic, "ada"), await enter(await client(), topic, "bob")
    await ada.channel.track({"mood": "calm"})
    for guest in (ada, bob):
        key, _, presences = await guest.came.next()
        assert (key, bare(presences)) == ("ada", [{"mood": "calm"}])


async def test_newcomer_is_told_who_is_there(anyone, client, enter, topic):
    """Before anything else."""
    ada = await enter(anyone, topic, "ada")
    await ada.channel.track({"mood": "calm"})
    await ada.came.next()
    bob = await enter(await client(), topic, "bob")
    assert await bob.synced.next() == {"ada": [{"mood": "calm"}]}


async def test_changed_state_takes_the_place_of_the_old(anyone, client, enter, topic):
    """There is one of it."""
    ada, bob = await enter(anyone, topic, "ada"), await enter(await client(), topic, "bob")
    for mood in ("calm", "merry"):
        await ada.channel.track({"mood": mood})
        await bob.came.next()
    await bob.left.next()
    assert bob.present == {"ada": [{"mood": "merry"}]}


async def test_who_untracks_itself_is_gone(anyone, client, enter, topic):
    """For the others."""
    ada, bob = await enter(anyone, topic, "ada"), await enter(await client(), topic, "bob")
    await ada.channel.track({"mood": "calm"})
    await bob.came.next()
    await ada.channel.untrack()
    key, _, presences = await bob.left.next()
    assert (key, bare(presences), bob.present) == ("ada", [{"mood": "calm"}], {})


async def test_who_loses_its_connection_is_gone(anyone, client, enter, topic):
    """Without a word."""
    ada, bob = await enter(anyone, topic, "ada"), await enter(await client(), topic, "bob")
    await ada.channel.track({"mood": "calm"})
    await bob.came.next()
    await anyone.realtime.close()
    assert (await bob.left.next())[0] == "ada"


async def test_private_room_shows_its_guests(enter, member, topic):
    """To each other."""
    topic = f"club:{topic}"
    ada = await enter(await member(), topic, "ada", private=True)
    bob = await enter(await member(), topic, "bob", private=True)
    await ada.channel.track({"mood": "calm"})
    assert (await bob.came.next())[0] == "ada"
