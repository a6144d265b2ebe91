"""Join payloads are read leniently."""

import pytest

from supalocal.realtime.join import JoinConfig, Replay, announced, binding_id, parse_join, parse_replay


@pytest.mark.parametrize("payload", [None, {}, [], "x", {"config": None}, {"config": {"broadcast": None}}])
def test_everything_is_optional(payload):
    """Absent and null parts mean the defaults."""
    assert parse_join(payload) == JoinConfig()


def test_a_whole_join_is_read():
    """Every option is found where clients put it."""
    binding = {"event": "*", "schema": "public"}
    config = {
        "broadcast": {"ack": True, "self": "TRUE"},
        "presence": {"key": "alice", "enabled": "true"},
        "private": "false",
        "postgres_changes": [None, binding],
    }
    mine = "a.b.c"
    assert parse_join({"config": config, "access_token": mine}) == JoinConfig(
        bindings=(binding,),
        access_token=mine,
        broadcast_self=True,
        broadcast_ack=True,
        presence_enabled=True,
        presence_key="alice",
    )


def test_user_token_wins():
    """user_token is looked at before access_token."""
    first, second = "a.b.c", "d.e.f"
    assert parse_join({"user_token": first, "access_token": second}).access_token == first


def test_what_cannot_be_cast_is_named():
    """A part of the wrong shape counts as absent and is named for the log."""
    assert parse_join({"config": {"broadcast": 5, "postgres_changes": {}}}) == JoinConfig(
        unreadable=("broadcast", "postgres_changes")
    )


def test_the_reply_echoes_the_bindings():
    """Each entry is the client's own object plus its id, in order."""
    bindings = ({"event": "insert", "table": "t", "x": 1}, {"event": "*"})
    assert [{k: v for k, v in one.items() if k != "id"} for one in announced(bindings)] == list(bindings)


def test_ids_are_stable_and_in_range():
    """An id depends on the binding alone, never is 0 and stays below 2^27."""
    ids = [binding_id({"event": "*", "table": f"t{n}"}) for n in range(500)]
    assert all(0 < one < 2**27 for one in ids)
    assert binding_id({"a": 1, "b": 2}) == binding_id({"b": 2, "a": 1})
    assert len(set(ids)) == 500


@pytest.mark.parametrize(
    ("value", "replay"),
    [
        (None, None),
        ("x", None),
        ({}, Replay(0, 25)),
        ({"since": 5, "limit": 3}, Replay(5, 3)),
        ({"since": 5, "limit": 99}, Replay(5, 25)),
        ({"since": 5, "limit": -1}, Replay(5, 1)),
    ],
)
def test_a_replay_has_bounds(value, replay):
    """At most 25 messages, at least one; what is no object asks for nothing."""
    assert parse_replay(value) == replay


@pytest.mark.parametrize("value", [{"since": "now"}, {"limit": 1.5}, {"since": True}, {"since": 10**18}, {"since": -1}])
def test_a_replay_needs_numbers(value):
    """Anything else cannot be told."""
    with pytest.raises(ValueError, match=r"since|limit"):
        parse_replay(value)
