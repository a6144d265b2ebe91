"""Reads the payload of a `phx_join` as leniently as the real server: what cannot be cast counts as absent."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

MAX_REPLAYED = 25
LATEST_MS = 253_402_300_799_999  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class JoinConfig:
    """What a client asked for when joining a channel."""

    bindings: tuple[Any, ...] = ()
    access_token: str | None = None
    broadcast_self: bool = False
    broadcast_ack: bool = False
    replay: Any = None
    """What the client wrote, if it did; see `parse_replay`."""
    asks_replay: bool = False
    replication_ready: bool = False
    presence_enabled: bool = False
    presence_key: str = ""
    private: bool = False
    unreadable: tuple[str, ...] = ()
    """Names of the parts that could not be cast; for the log only, as the join goes on without them."""


def parse_join(payload: Any) -> JoinConfig:
    """Return the join's configuration; never fails, as the real server only logs what it cannot read."""
    payload = payload if isinstance(payload, dict) else {}
    config = _part(payload, "config")
    broadcast, presence = _part(config, "broadcast"), _part(config, "presence")
    return JoinConfig(
        bindings=_bindings(config.get("postgres_changes")),
        access_token=_token(payload),
        broadcast_self=_flag(broadcast.get("self")),
        broadcast_ack=_flag(broadcast.get("ack")),
        replay=broadcast.get("replay"),
        asks_replay="replay" in broadcast,
        replication_ready=_flag(broadcast.get("replication_ready")),
        presence_enabled=_flag(presence.get("enabled")),
        presence_key=presence["key"] if isinstance(presence.get("key"), str) else "",
        private=_flag(config.get("private")),
        unreadable=tuple(_unreadable(config)),
    )


@dataclass(frozen=True, slots=True)
class Replay:
    """Which past messages a private channel wants: the newest `limit` since a moment, in ms since 1970."""

    since: int
    limit: int


def parse_replay(value: Any) -> Replay | None:
    """Return what to replay, None for nothing; ValueError when that cannot be told."""
    if not isinstance(value, dict):
        return None
    since, limit = (value.get("since") or 0, value.get("limit") or MAX_REPLAYED)
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in (since, limit)):
        raise ValueError(value)
    if not 0 <= since <= LATEST_MS:
        raise ValueError(value)
    return Replay(since, max(1, min(limit, MAX_REPLAYED)))


def binding_id(binding: Any) -> int:
    """Return a binding's id: a hash of the object alone, so that equal bindings share it and a rejoin repeats it.

    Between 1 and 2^27-1: clients ignore 0.
    """
    digest = hashlib.blake2b(json.dumps(binding, sort_keys=True).encode(), digest_size=8).digest()
    return int.from_bytes(digest) % (2**27 - 1) + 1


def announced(bindings: tuple[Any, ...]) -> list[Any]:
    """Return the bindings as the reply lists them: the client's own objects, each with its id."""
    return [{**binding, "id": binding_id(binding)} if isinstance(binding, dict) else binding for binding in bindings]


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    value = config.get(name)
    return value if isinstance(value, dict) else {}


def _bindings(value: Any) -> tuple[Any, ...]:
    return tuple(entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else ()


def _token(payload: dict[str, Any]) -> str | None:
    for name in ("user_token", "access_token"):
        if isinstance(payload.get(name), str):
            return str(payload[name])
    return None


def _flag(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _unreadable(config: dict[str, Any]) -> list[str]:
    shapes = {"broadcast": dict, "presence": dict, "postgres_changes": list}
    return [name for name, shape in shapes.items() if not isinstance(config.get(name), shape | None)]
