"""Each scenario of scripts/stress once and short, on a server of its own."""

import subprocess
import sys

import pytest


@pytest.fixture
def stress(root):
    """Runs a scenario; fails with its own words."""

    def run(name):
        command = [sys.executable, "-m", "tests.stress", "--short", "--times", "1", "--seed", "1", name]
        ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run


def test_joins_and_leaves_are_counted_exactly(stress):
    """From 50 connections at once, joining twice and leaving included."""
    assert "1000 joins, 1000 again" in stress("joins")


def test_every_code_is_drawn_once(stress):
    """By 64 creators, down to the last of the 10,000; then there is none."""
    assert "1000 codes drawn by 64 creators, none twice" in stress("codes")


def test_revs_rise_whoever_writes_and_however(stress):
    """No function of ours deadlocks, raw statements that do are undone whole, and a reader misses no state."""
    assert "undone whole" in stress("writers")


def test_each_message_is_completed_once_though_workers_die(stress):
    """None waits for longer than a lease after its own ran out, and within a session the oldest come first."""
    assert "each completed once" in stress("claims")


def test_no_upsert_of_activity_fails(stress):
    """Not beside 63 others, stale rows, nor the clean-up."""
    assert "upserts by 64 clients in 16 sessions" in stress("typists")


def test_subscribers_come_and_go_without_a_trace(stress):
    """200 of them under load miss nothing while they are connected, and the stack gives back all that they took."""
    assert "none missed" in stress("soak")


def test_subscribers_miss_nothing_on_a_bad_network(stress):
    """Five of them, while their link is cut and events are lost, doubled and reordered."""
    assert "600 messages" in stress("streams")


def test_subscribers_and_writers_outlast_a_restart_of_postgres(stress):
    """No call fails, and no state is missed."""
    assert "none missed" in stress("restarts")


def test_subscribers_and_writers_outlast_a_killed_supalocal(stress):
    """No call fails, and no state is missed."""
    assert "none missed" in stress("kills")


def test_a_team_of_workers_translates_each_message_once(stress):
    """In order within a session, though one worker after the other is killed."""
    assert "each translated once and in order" in stress("teams")
