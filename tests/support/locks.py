"""Statements that wait for one another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import psycopg

T = TypeVar("T")

_SECONDS = 20.0
_POLL_SECONDS = 0.005


@contextmanager
def blocked(observer: psycopg.Connection, waiting: psycopg.Connection, call: Callable[[], T]) -> Iterator[Future[T]]:
    """Run the call, a statement on `waiting`, beside the block, which begins when the statement waits for a lock.

    The block must end the wait. `observer` is any other connection.
    """
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call)
        _wait_for_lock(observer, waiting.info.backend_pid, answer)
        yield answer
        answer.result(_SECONDS)


def _wait_for_lock(observer: psycopg.Connection, pid: int, answer: Future[T]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not observer.execute("select cardinality(pg_blocking_pids(%s)) > 0", [pid]).fetchone()[0]:
        if answer.done():
            raise AssertionError(f"did not wait for a lock: {answer.exception() or answer.result()}")
        if time.monotonic() > deadline:
            raise AssertionError("neither waited for a lock nor ended")
        time.sleep(_POLL_SECONDS)


def together(*calls: Callable[[], T]) -> list[T]:
    """What each call returns, all of them run at once; the first error is raised when all have ended."""
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = [pool.submit(call) for call in calls]
    return [answer.result() for answer in answers]
