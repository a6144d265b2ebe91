"""Who is present in a room: pure bookkeeping, and what its members are told of it."""

import base64
import json
import secrets
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

Meta = dict[str, Any]
"""What a member tells of itself, with the `phx_ref` that stands for this telling."""

_REF_BYTES = 10


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed, as metas by key."""

    joins: dict[str, Meta] = field(default_factory=dict)
    leaves: dict[str, Meta] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the payload of a `presence_diff`."""
        return _json({"joins": _grouped(self.joins), "leaves": _grouped(self.leaves)})


@dataclass(frozen=True, slots=True)
class _Presence:
    key: str
    told: str
    meta: Meta


class Presences:
    """The presences of one room: at most one a member, any number under one key."""

    def __init__(self) -> None:
        self._by_member: dict[Hashable, _Presence] = {}

    def track(self, member: Hashable, key: str, told: Meta) -> Diff | None:
        """Make the member present, or renew what it tells of itself; None when that says nothing new."""
        old, text = self._by_member.get(member), json.dumps(told, sort_keys=True)
        if old and old.told == text:
            return None
        meta = {**told, "phx_ref": _ref()} | ({"phx_ref_prev": old.meta["phx_ref"]} if old else {})
        self._by_member[member] = _Presence(key, text, meta)
        return Diff({key: meta}, {old.key: old.meta} if old else {})

    def untrack(self, member: Hashable) -> Diff | None:
        """Make the member absent; None when it was."""
        old = self._by_member.pop(member, None)
        return Diff(leaves={old.key: old.meta}) if old else None

    def to_json(self) -> str:
        """Return the payload of a `presence_state`."""
        state: dict[str, dict[str, list[Meta]]] = {}
        for presence in self._by_member.values():
            state.setdefault(presence.key, {"metas": []})["metas"].append(presence.meta)
        return _json(state)


def _grouped(metas: dict[str, Meta]) -> dict[str, dict[str, list[Meta]]]:
    return {key: {"metas": [meta]} for key, meta in metas.items()}


def _ref() -> str:
    return base64.b64encode(secrets.token_bytes(_REF_BYTES)).decode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
