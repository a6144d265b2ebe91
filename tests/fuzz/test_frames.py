"""Generated frames against a running stack: it answers on, and none leaves a trace that it should not."""

from __future__ import annotations

import gc
import json
import logging
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import jwt
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.frame_grammar import INJECTIONS, Push, pushes
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import supalocal
from supalocal.realtime.channel import Channel

SECONDS = 20.0
EVERY = 25  # examples between two looks behind the door
_SCHEMA = """
create type mood as enum ('sad', 'ok');
create table fuzzed (
  id int primary key, name text, data jsonb, raw json, tags text[], span int4range, code char(4), mood mood,
  made timestamptz, seen boolean, "odd name" varchar(10)
);
create table watched (id int primary key);
create table canary (id int primary key);
insert into canary values (1);
grant select on fuzzed, watched to anon, authenticated;
alter publication supabase_realtime add table fuzzed, watched;
"""
_UNTOUCHED = """
select
  (select array_agg(c.*::text) from canary c),
  (select md5(string_agg(concat(c.relname, c.relkind, c.relowner, c.relacl), ',' order by c.oid))
   from pg_class c where c.relpersistence <> 't'),
  (select array_agg(rolname::text order by oid) from pg_roles),
  (select count(*) from pg_replication_slots where database = current_database()),
  (select array_agg(query) from pg_stat_activity where datname = current_database() and state like 'idle in%')
"""


class Traces(logging.Handler):
    """Keeps the stack traces that the stack's process logs."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.texts.append(self.format(record))


class Door:
    """Opens sockets, beside a sound subscriber whose changes must keep coming, and looks behind the door."""

    def __init__(self, stack: supalocal.Stack, database: psycopg.Connection[Any]) -> None:
        self._stack, self._database = stack, database
        self._numbers = count(1)
        self.traces = Traces()
        self._tokens = {
            "user": self._signed({"role": "authenticated", "sub": "7f1c0a52-0d6c-4f57-9f2b-0b6b3f3f5c11"}),
            "anon": stack.anon_key,
            "expired": self._signed({"role": "anon", "exp": 1}),
            "hostile": self._signed({"role": INJECTIONS[0]}),
        }
        self._sound = self.open("2.0.0")
        config = {"postgres_changes": [{"event": "INSERT", "schema": "public", "table": "watched"}]}
        self._sound.send(json.dumps(["1", "1", "realtime:sound", "phx_join", {"config": config}]))
        while "Subscribed to PostgreSQL" not in str(self._sound.recv(SECONDS)):
            pass

    def open(self, vsn: str) -> ClientConnection:
        address = self._stack.url.replace("http", "ws", 1)
        return connect(
            f"{address}/realtime/v1/websocket?vsn={vsn}&apikey={self._stack.publishable_key}",
            max_size=None,
            ping_interval=None,
            compression=None,
        )

    def send(self, socket: ClientConnection, vsn: str, push: Push) -> None:
        payload = push.payload
        if isinstance(payload, dict) and isinstance(payload.get("access_token"), str):
            known = self._tokens.get(payload["access_token"], payload["access_token"])
            push = Push(push.topic, push.event, {**payload, "access_token": known}, push.ref, push.join_ref, push.raw)
        socket.send(push.framed(vsn))

    def serves_the_sound(self) -> bool:
        """Whether a change reaches the sound subscriber; one beside a failing filter may be lost to it, as designed."""
        until = time.monotonic() + SECONDS
        self._sound.send(json.dumps([None, "9", "phoenix", "heartbeat", {}]))
        while time.monotonic() < until:
            number = next(self._numbers)
            self._database.execute("insert into watched values (%s)", [number])
            try:
                while f'"record":{{"id":{number}}}' not in str(self._sound.recv(0.5)):
                    pass
            except TimeoutError:
                continue
            return True
        return False

    def channels(self) -> list[Channel]:
        """The open channels, all of them."""
        return [one for one in gc.get_objects() if type(one) is Channel and one.is_open]

    def untouched(self) -> Any:
        return self._database.execute(_UNTOUCHED).fetchone()

    def close(self) -> None:
        self._sound.close()

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"exp": int(time.time()) + 100_000, **claims}, self._stack.keys.jwt_secret)


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with (
        supalocal.Stack().running() as stack,
        psycopg.connect(stack.admin_db_url, autocommit=True) as database,
    ):
        database.execute(_SCHEMA)
        opened = Door(stack, database)
        logging.getLogger().addHandler(opened.traces)
        yield opened
        logging.getLogger().removeHandler(opened.traces)
        opened.close()


@pytest.fixture(scope="module")
def untouched(door: Door) -> Any:
    return door.untouched()


@pytest.fixture(scope="module")
def examples() -> Iterator[int]:
    return count(1)


@given(vsn=st.sampled_from(["1.0.0", "2.0.0"]), frames=pushes())
def test_frames_neither_stop_the_server_nor_leave_anything(
    door: Door, untouched: Any, examples: Iterator[int], vsn: str, frames: list[Push]
):
    """A heartbeat is answered after any frames, without a stack trace; then nothing is left of their channels."""
    assert end_of(door, vsn, frames) in {"alive", 1000, 1007, 1009}
    assert door.traces.texts == []
    if next(examples) % EVERY == 0:
        look_behind(door, untouched)


def end_of(door: Door, vsn: str, frames: list[Push]) -> str | int:
    """Send the frames; "alive" if a heartbeat is answered then, or the code with which the server closed."""
    with door.open(vsn) as socket:
        try:
            for frame in frames:
                door.send(socket, vsn, frame)
            socket.send(Push("phoenix", "heartbeat", {}, "alive").framed(vsn))
            while '"alive"' not in str(socket.recv(SECONDS)):
                pass
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else "cut off"
    return "alive"


def test_nothing_is_left_at_the_end(door: Door, untouched: Any):
    """After the last example, too, there is one channel, the sound one, and it is served."""
    look_behind(door, untouched)


def look_behind(door: Door, untouched: Any) -> None:
    until = time.monotonic() + SECONDS
    while len(door.channels()) > 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert [channel.name for channel in door.channels()] == ["sound"]
    assert door.serves_the_sound()
    assert door.untouched() == untouched
