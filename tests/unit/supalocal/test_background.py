"""An async resource in a thread of its own."""

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from supalocal import background


class Lamp:
    """Knows where it was switched on, and whether it is on."""

    def __init__(self, *, broken=False):
        self.broken = broken
        self.thread = None
        self.is_on = False

    async def __aenter__(self):
        if self.broken:
            raise OSError("no light")
        self.thread, self.is_on = threading.current_thread(), True
        return self

    async def __aexit__(self, *_):
        await asyncio.sleep(0)
        self.is_on = False


def test_it_lives_in_another_thread_for_the_length_of_the_block():
    """Entered before the block, left after it, and not in the caller's thread."""
    with background.running(Lamp()) as lamp:
        assert lamp.is_on
        assert lamp.thread is not threading.current_thread()
    assert not lamp.is_on
    assert not lamp.thread.is_alive()


def test_an_error_while_starting_is_raised_here():
    """The caller sees the resource's own exception."""
    with pytest.raises(OSError, match="no light"), background.running(Lamp(broken=True)):
        pass


def test_an_error_in_the_block_still_ends_it():
    """Leaving by an exception leaves nothing running."""
    lamp = Lamp()
    with pytest.raises(KeyError), background.running(lamp):
        raise KeyError
    assert not lamp.is_on


async def test_it_runs_beside_a_running_loop():
    """Synchronous code under somebody else's event loop may use it too."""

    @asynccontextmanager
    async def loop():
        yield asyncio.get_running_loop()

    with background.running(loop()) as entered:
        assert entered is not None
