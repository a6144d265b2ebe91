"""Generates what a client may send over Realtime's socket: sound, odd, hostile and broken frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

INJECTIONS = (
    "'; drop table canary; --",
    '"; drop table canary; --',
    "canary' or '1'='1",
    "(select pg_sleep(9))",
    "1); delete from canary; --",
    "$$; delete from canary; $$",
    "%s %(role)s {0} \\x00 \\",
    "\x00",
    "\u2028\U0001f600é",
    "x" * 70_000,
)
TYPES = ("id", "name", "data", "raw", "tags", "span", "code", "mood", "made", "seen", "nope", "odd name")
OPERATORS = ("eq", "neq", "lt", "lte", "gt", "gte", "in", "like", "ilike", "is", "match", "imatch", "isdistinct", "cs")
VALUES = (
    "1",
    "a",
    "null",
    "true",
    "unknown",
    "(1,2)",
    "()",
    "(a,",
    '"quo,ted"',
    '"open',
    "{a,b}",
    '{"k":1}',
    "[1,5)",
    "9" * 400,
    "now",
    "2024-01-01",
    "(",
    "%",
    "",
)
TOPICS = ("realtime:room", "realtime:other", "realtime:a:b", "realtime:", "phoenix", "", "other:room")
EVENTS = ("phx_join", "phx_leave", "access_token", "broadcast", "presence", "heartbeat", "phx_close", "nonsense")

_texts = st.one_of(st.sampled_from(INJECTIONS), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
_numbers = st.one_of(st.integers(), st.integers(-(10**400), 10**400), st.floats(allow_nan=False, allow_infinity=False))
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), _numbers, _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=6,
)


def _mostly(sound: st.SearchStrategy[Any], odd: st.SearchStrategy[Any] = _values) -> st.SearchStrategy[Any]:
    return st.integers(0, 4).flatmap(lambda chance: odd if chance == 0 else sound)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_columns = st.one_of(st.sampled_from(TYPES), _texts)
_filters = st.lists(
    st.builds(
        "{}{}={}{}.{}".format,
        st.sampled_from(["", " "]),
        _columns,
        st.sampled_from(["", "", "not."]),
        st.sampled_from(OPERATORS),
        st.one_of(st.sampled_from(VALUES), _texts),
    ),
    max_size=3,
).map(",".join)
_bindings = _some(
    event=_mostly(st.sampled_from(["*", "INSERT", "update", "DELETE", "TRUNCATE"])),
    schema=_mostly(st.sampled_from(["public", "*", "pu%", "auth", "pg_catalog"])),
    table=_mostly(st.one_of(st.sampled_from(["fuzzed", "watched", "*", "fuz_ed", "canary"]), _texts)),
    filter=_mostly(st.one_of(_filters, _texts)),
    select=_mostly(st.lists(_columns, max_size=3)),
)
_flags = _mostly(st.sampled_from([True, False, "true", "FALSE", None]))
_configs = _some(
    broadcast=_mostly(
        _some(ack=_flags, self=_flags, replay=_mostly(_some(since=_values, limit=_values)), replication_ready=_flags)
    ),
    presence=_mostly(_some(key=_values, enabled=_flags)),
    private=_flags,
    postgres_changes=_mostly(st.lists(_mostly(_bindings), max_size=4)),
)
_tokens = st.one_of(st.sampled_from(["user", "anon", "expired", "hostile", "sb_publishable_x", ""]), _values)
_payloads = {
    "phx_join": _some(config=_mostly(_configs), access_token=_tokens, user_token=_values),
    "access_token": _some(access_token=_tokens),
    "broadcast": _some(type=st.just("broadcast"), event=_mostly(st.just("ping")), payload=_values),
    "presence": _some(type=st.just("presence"), event=_mostly(st.sampled_from(["track", "untrack"])), payload=_values),
}
_refs = _mostly(st.one_of(st.none(), st.sampled_from(["1", "2"])))


@dataclass(frozen=True)
class Push:
    """One frame, before its version frames it; `raw` is sent as it is."""

    topic: Any = None
    event: Any = None
    payload: Any = None
    ref: Any = None
    join_ref: Any = None
    raw: str | bytes | None = None

    def framed(self, vsn: str) -> str | bytes:
        if self.raw is not None:
            return self.raw
        if vsn == "2.0.0":
            return json.dumps([self.join_ref, self.ref, self.topic, self.event, self.payload])
        keys = ("topic", "event", "payload", "ref", "join_ref")
        return json.dumps({key: getattr(self, key) for key in keys})


def _push(event: str) -> st.SearchStrategy[Push]:
    topics = _mostly(st.one_of(st.just("realtime:room"), st.sampled_from(TOPICS)), _texts)
    return st.builds(Push, topics, st.just(event), _mostly(_payloads.get(event, _values)), _refs, _refs)


def _binary(fields: list[bytes], lie: int, encoding: int, body: bytes) -> Push:
    sizes = bytes(min(len(field) + lie, 255) for field in fields)
    return Push(raw=bytes([3]) + sizes + bytes([encoding]) + b"".join(fields) + body)


_fields = st.one_of(st.sampled_from([b"1", b"", b"realtime:room", b"ping", b"\xff"]), st.binary(max_size=30))
_raw = st.one_of(
    st.sampled_from(['{"topic":', "[1,2,3]", "null", '"\\ud800"', "[" * 5_000, '["1","1","realtime:room","phx_join"]']),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    st.binary(max_size=50),
    _values.map(json.dumps),
)


def pushes() -> st.SearchStrategy[list[Push]]:
    """Frames for one socket, in the order of their sending."""
    one = st.one_of(
        _push("phx_join"),
        st.sampled_from(EVENTS).flatmap(_push),
        st.builds(Push, _values, _values, _values, _values, _values),
        st.builds(
            _binary,
            st.lists(_fields, min_size=5, max_size=5),
            st.integers(0, 3),
            st.integers(0, 2),
            st.binary(max_size=9),
        ),
        _raw.map(lambda raw: Push(raw=raw)),
    )
    return st.lists(one, min_size=1, max_size=6)
