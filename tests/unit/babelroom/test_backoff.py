"""Delays that grow, and never end."""

import pytest

from babelroom.backoff import Backoff


def test_the_delays_come_one_after_another_and_the_last_one_stays():
    """A quarter more or less, so that clients cut off together come back apart."""
    backoff = Backoff((1, 2, 4))
    assert [backoff.next() for _ in range(5)] == [
        pytest.approx(delay, abs=delay / 4) for delay in (1, 2, 4, 4, 4)
    ]  # fmt: skip


def test_a_success_starts_them_again():
    """From the first one."""
    backoff = Backoff((1, 100))
    backoff.next()
    backoff.reset()
    assert backoff.next() < 2


def test_no_two_are_the_same():
    """There is jitter."""
    backoff = Backoff((10,))
    assert len({backoff.next() for _ in range(5)}) == 5
