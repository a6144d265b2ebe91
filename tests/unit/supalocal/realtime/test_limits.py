"""Rates and allowances."""

from supalocal.realtime import limits
from supalocal.realtime.limits import Allowance, Limits, Rate


def at(monkeypatch, second):
    monkeypatch.setattr(limits.time, "monotonic", lambda: float(second))


def test_a_rate_is_an_average(monkeypatch):
    """A burst passes as long as the last 12 seconds together stay below the limit."""
    at(monkeypatch, 100)
    rate = Rate(10)
    rate.add(120)
    assert (rate.average, rate.exceeded()) == (10.0, False)
    rate.add()
    assert rate.exceeded()


def test_a_rate_forgets(monkeypatch):
    """What happened 12 seconds ago counts no more."""
    at(monkeypatch, 100)
    rate = Rate(10)
    rate.add(1000)
    at(monkeypatch, 111)
    assert rate.exceeded()
    at(monkeypatch, 112)
    assert not rate.exceeded()


def test_a_rate_can_look_ahead(monkeypatch):
    """Whether there is room for more is asked before they are sent."""
    at(monkeypatch, 100)
    assert Rate(10).exceeded(more=11)
    assert not Rate(10).exceeded(more=10)


def test_no_limit_is_never_exceeded():
    """Without one nothing is counted."""
    rate = Rate(None)
    rate.add(10**9)
    assert not rate.exceeded(more=10**9)


def test_an_allowance_ends_and_comes_back(monkeypatch):
    """The window starts with its first call."""
    at(monkeypatch, 100)
    allowance = Allowance(2, 30)
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    at(monkeypatch, 130)
    assert not allowance.take()
    at(monkeypatch, 131)
    assert allowance.take()


def test_hosted_limits_are_no_looser():
    """The switch only ever adds limits."""
    ours, hosted = Limits(), Limits.hosted()
    for name in ("channels_per_socket", "presence_calls", "payload_bytes", "frame_bytes", "idle_seconds"):
        assert getattr(hosted, name) == getattr(ours, name)
    assert (ours.users, hosted.users) == (None, 200)
