"""Who is present, and what is told of it."""

import json

from supalocal.realtime.presence import Diff, Presences


def told(diff):
    return json.loads(diff.to_json())


def test_nobody_is_present_at_first():
    """The state of an empty room is an empty object."""
    assert Presences().to_json() == "{}"


def test_who_tracks_is_present():
    """The state and the diff hold what was told, with a reference for it."""
    presences = Presences()
    [meta] = told(presences.track("me", "alice", {"status": "on"}))["joins"]["alice"]["metas"]
    assert meta == {"status": "on", "phx_ref": meta["phx_ref"]}
    assert json.loads(presences.to_json()) == {"alice": {"metas": [meta]}}


def test_telling_the_same_again_changes_nothing():
    """No diff is due; true is not 1."""
    presences = Presences()
    presences.track("me", "alice", {"status": 1})
    assert presences.track("me", "alice", {"status": 1}) is None
    assert presences.track("me", "alice", {"status": True}) is not None


def test_telling_anew_is_a_join_and_a_leave():
    """The new meta names the old one, which leaves under the same key."""
    presences = Presences()
    old = presences.track("me", "alice", {"status": "on"}).joins["alice"]
    diff = presences.track("me", "alice", {"status": "off"})
    new = {"status": "off", "phx_ref": diff.joins["alice"]["phx_ref"], "phx_ref_prev": old["phx_ref"]}
    assert diff == Diff({"alice": new}, {"alice": old})
    assert new["phx_ref"] != old["phx_ref"]


def test_members_share_a_key():
    """Each has a meta of its own, and leaves with that alone."""
    presences = Presences()
    first, second = (presences.track(who, "alice", {"device": who}).joins["alice"] for who in ("phone", "desk"))
    assert json.loads(presences.to_json()) == {"alice": {"metas": [first, second]}}
    assert presences.untrack("phone") == Diff({}, {"alice": first})
    assert json.loads(presences.to_json()) == {"alice": {"metas": [second]}}


def test_who_is_absent_cannot_leave():
    """There is nothing to tell."""
    assert Presences().untrack("me") is None


def test_a_clients_own_reference_does_not_count():
    """What it calls phx_ref is replaced."""
    assert Presences().track("me", "alice", {"phx_ref": "mine"}).joins["alice"]["phx_ref"] != "mine"
