"""The Prefer header: which preferences a request states, and which of them its answer says were applied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from supalocal.rest.errors import RestError

if TYPE_CHECKING:
    from collections.abc import Collection

# In the order of Preference-Applied.
_KINDS = {
    "resolution": ("merge-duplicates", "ignore-duplicates"),
    "missing": ("default", "null"),
    "return": ("representation", "minimal", "headers-only"),
    "count": ("exact", "planned", "estimated"),
    "tx": ("commit", "rollback"),
    "handling": ("strict", "lenient"),
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a request prefers, by kind; None where it does not say. `invalid` are those that nobody knows."""

    resolution: str | None = None
    missing: str | None = None
    returned: str | None = None
    count: str | None = None
    end: str | None = None  # of the transaction; None unless clients may choose it
    handling: str | None = None
    timezone: str | None = None
    max_affected: int | None = None
    invalid: tuple[str, ...] = ()

    @property
    def is_strict(self) -> bool:
        return self.handling == "strict"

    @property
    def wants_rows(self) -> bool:
        return self.returned == "representation"

    @property
    def strict_max_affected(self) -> int | None:
        return self.max_affected if self.is_strict else None

    def applied(self, *kinds: str) -> str | None:
        """The Preference-Applied header, or None if nothing was; `kinds` are those that only some requests heed."""
        return _applied(self, kinds)

    def refuse_invalid(self) -> None:
        """Raise PGRST122 for what nobody knows, where the request wants that."""
        if self.is_strict and self.invalid:
            details = f"Invalid preferences: {', '.join(self.invalid)}"
            raise RestError(400, "PGRST122", "Invalid preferences given with handling=strict", details)


NONE = Preferences()


@lru_cache(maxsize=256)
def _applied(preferences: Preferences, kinds: tuple[str, ...]) -> str | None:
    stated = {
        "resolution": preferences.resolution if "resolution" in kinds else None,
        "missing": preferences.missing if "missing" in kinds else None,
        "return": preferences.returned if "returned" in kinds else None,
        "count": preferences.count,
        "tx": preferences.end,
        "handling": preferences.handling,
        "timezone": preferences.timezone,
        "max-affected": preferences.strict_max_affected if "max_affected" in kinds else None,
    }
    return ", ".join(f"{kind}={value}" for kind, value in stated.items() if value is not None) or None


def parse_preferences(headers: tuple[str, ...], timezones: Collection[str]) -> Preferences:
    """The preferences of all Prefer headers; the first of a kind counts."""
    return _parsed(headers) if "timezone=" not in ",".join(headers) else _read(headers, timezones)


@lru_cache(maxsize=256)
def _parsed(headers: tuple[str, ...]) -> Preferences:
    return _read(headers, ())


def _read(headers: tuple[str, ...], timezones: Collection[str]) -> Preferences:
    stated = [item.strip() for header in headers for item in header.split(",")]
    if not headers:
        return NONE
    timezone = _first(stated, "timezone")
    if timezone not in timezones:
        timezone = None
    limit = _first(stated, "max-affected")
    return Preferences(
        resolution=_chosen(stated, "resolution"),
        missing=_chosen(stated, "missing"),
        returned=_chosen(stated, "return"),
        count=_chosen(stated, "count"),
        end=_chosen(stated, "tx"),
        handling=_chosen(stated, "handling"),
        timezone=timezone,
        max_affected=int(limit) if limit and re.fullmatch(r"-?[0-9]{1,18}", limit, re.ASCII) else None,
        invalid=tuple(item for item in stated if not _is_known(item, timezone)),
    )


def _first(stated: list[str], kind: str) -> str | None:
    return next((item.removeprefix(f"{kind}=") for item in stated if item.startswith(f"{kind}=")), None)


def _chosen(stated: list[str], kind: str) -> str | None:
    choices = {f"{kind}={value}": value for value in _KINDS[kind]}
    return next((choices[item] for item in stated if item in choices), None)


def _is_known(item: str, timezone: str | None) -> bool:
    kind, _, value = item.partition("=")
    if item.startswith("timezone="):
        return timezone is not None
    return item.startswith("max-affected=") or value in _KINDS.get(kind, ())
