"""The settings of REST: what the project says, and what `alter role authenticator set pgrst....` says instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_YES = {"true", "on", "yes", "t", "y", "1"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """PostgREST's settings, as far as they mean something here."""

    schemas: tuple[str, ...] = ("public",)
    extra_search_path: tuple[str, ...] = ("public", "extensions")
    max_rows: int | None = 1000
    anon_role: str = "anon"
    aggregates: bool = False
    plans: bool = False
    pre_request: tuple[str, ...] = ()  # the function that is called first: its schema, if one is said, and its name
    transaction_end: str = "commit"

    def overridden(self, settings: Mapping[str, str]) -> Configuration:
        """With the settings that the database holds, by their names without `pgrst.`; an unreadable one is ignored."""
        changes: dict[str, Any] = {}
        for name, text in settings.items():
            if known := _READERS.get(name):
                field, read = known
                value = read(text)
                if value is not None:
                    changes[field] = value
        return replace(self, **changes) if changes else self

    @property
    def client_may_choose_end(self) -> bool:
        """Whether `Prefer: tx=` is heard."""
        return self.transaction_end.endswith("-allow-override")

    def keeps(self, preferred_end: str | None) -> bool:
        """Whether a transaction is committed, given what the client prefers."""
        end = preferred_end if self.client_may_choose_end and preferred_end else self.transaction_end
        return not end.startswith("rollback")


def _names(text: str) -> tuple[str, ...] | None:
    return tuple(name.strip().strip('"') for name in text.split(",") if name.strip()) or None


def _is_yes(text: str) -> bool:
    return text.strip().lower() in _YES


def _integer(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _path(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.partition(".") if part not in {"", "."})


def _end(text: str) -> str | None:
    return (
        text if text in {f"{end}{more}" for end in ("commit", "rollback") for more in ("", "-allow-override")} else None
    )


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "db_schemas": ("schemas", _names),
    "db_extra_search_path": ("extra_search_path", _names),
    "db_max_rows": ("max_rows", _integer),
    "db_anon_role": ("anon_role", str),
    "db_aggregates_enabled": ("aggregates", _is_yes),
    "db_plan_enabled": ("plans", _is_yes),
    "db_pre_request": ("pre_request", _path),
    "db_tx_end": ("transaction_end", _end),
}
