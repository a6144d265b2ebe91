"""Trouble is told once, paused for, and over when an attempt goes well."""

import logging

import pytest

from babelroom.errors import ConnectionFailed
from babelroom.worker.trouble import Trouble

ERROR = ConnectionFailed("Nobody answers.")


class Clock:
    """Stands, until a test lets seconds pass."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def met(clock):
    """A trouble that is not met yet."""
    return Trouble("supabase", clock=clock)


@pytest.fixture(autouse=True)
def all_is_logged(caplog):
    caplog.set_level(logging.INFO, "babelroom.worker")


def test_at_first_there_is_none(met):
    """Nothing is waited for."""
    assert (met.reason, met.pause) == (None, 0)


def test_failures_together_make_one_pause(met):
    """About a second."""
    for _ in range(8):
        met.meet(ERROR)
    assert met.reason == "Nobody answers."
    assert 0.75 <= met.pause <= 1.25


def test_pauses_grow_up_to_half_a_minute(met, clock):
    """With each attempt that fails after a pause."""
    pauses = []
    for _ in range(8):
        met.meet(ERROR)
        pauses.append(met.pause)
        clock.now += met.pause
    assert pauses == pytest.approx([1, 2, 4, 8, 15, 30, 30, 30], rel=0.26)


def test_a_success_of_before_the_pause_proves_nothing(met):
    """The attempt had begun when all was well."""
    met.meet(ERROR)
    met.end()
    assert met.reason is not None


def test_it_ends_by_the_first_success_after_the_pause(met, clock):
    """And the next one begins with a short pause again."""
    for _ in range(5):
        met.meet(ERROR)
        clock.now += met.pause
    met.end()
    assert met.reason is None
    met.meet(ERROR)
    assert met.pause <= 1.25


def test_it_is_told_once_and_so_is_its_end(met, clock, caplog):
    """However often it is met."""
    for _ in range(3):
        met.meet(ERROR)
        clock.now += met.pause
    met.end()
    met.end()
    assert [record.event for record in caplog.records] == ["supabase_away", "supabase_back"]
