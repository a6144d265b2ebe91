"""Reads config.toml."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from supalocal.errors import ProjectError

_Value = TypeVar("_Value")
_ENV = re.compile(r"env\((\w+)\)")
_KINDS = {int: "a number", bool: "true or false", str: "a string"}
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of config.toml that the local stack follows; the defaults are the Supabase CLI's."""

    port: int = 54321
    db_port: int = 54322
    schemas: tuple[str, ...] = ("public", "graphql_public")
    extra_search_path: tuple[str, ...] = ("public", "extensions")
    max_rows: int = 1000
    auto_expose_new_tables: bool = True
    migrations_enabled: bool = True
    seed_enabled: bool = True
    seed_paths: tuple[str, ...] = ("./seed.sql",)
    site_url: str = "http://127.0.0.1:3000"
    additional_redirect_urls: tuple[str, ...] = ()
    enable_signup: bool = True
    enable_anonymous_sign_ins: bool = False
    enable_manual_linking: bool = False
    enable_web3: bool = False
    jwt_expiry: int = 3600
    minimum_password_length: int = 6
    enable_email_signup: bool = True
    enable_confirmations: bool = False
    enable_refresh_token_rotation: bool = True
    refresh_token_reuse_interval: int = 10  # seconds
    custom_access_token_hook: str = ""  # a URI; '' where none is enabled


def read_config(path: Path) -> Config:
    """The settings of one config.toml, the defaults where there is no file. Raises ProjectError.

    Keys that the local stack does not follow are ignored.
    """
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ProjectError(f"{path} is no valid TOML: {exc}") from exc
    read = _Reader(path, document)
    usual = Config()
    return Config(
        port=read.number("api.port", usual.port, highest=_HIGHEST_PORT),
        db_port=read.number("db.port", usual.db_port, highest=_HIGHEST_PORT),
        schemas=read.names("api.schemas", usual.schemas, least=1),
        extra_search_path=read.names("api.extra_search_path", usual.extra_search_path),
        max_rows=read.number("api.max_rows", usual.max_rows),
        auto_expose_new_tables=read.value("api.auto_expose_new_tables", usual.auto_expose_new_tables),
        migrations_enabled=read.value("db.migrations.enabled", usual.migrations_enabled),
        seed_enabled=read.value("db.seed.enabled", usual.seed_enabled),
        seed_paths=read.names("db.seed.sql_paths", usual.seed_paths),
        site_url=read.value("auth.site_url", usual.site_url),
        additional_redirect_urls=read.names("auth.additional_redirect_urls", usual.additional_redirect_urls),
        enable_signup=read.value("auth.enable_signup", usual.enable_signup),
        enable_anonymous_sign_ins=read.value("auth.enable_anonymous_sign_ins", usual.enable_anonymous_sign_ins),
        enable_manual_linking=read.value("auth.enable_manual_linking", usual.enable_manual_linking),
        enable_web3=any(
            read.value(f"auth.web3.{chain}.enabled", usual.enable_web3) for chain in ("solana", "ethereum")
        ),
        jwt_expiry=read.number("auth.jwt_expiry", usual.jwt_expiry, lowest=1),
        minimum_password_length=read.value("auth.minimum_password_length", usual.minimum_password_length),
        enable_email_signup=read.value(
            "auth.email.enabled",
            read.value("auth.email.enable_signup", usual.enable_email_signup),  # its name before CLI 3
        ),
        enable_confirmations=read.value("auth.email.enable_confirmations", usual.enable_confirmations),
        enable_refresh_token_rotation=read.value(
            "auth.enable_refresh_token_rotation", usual.enable_refresh_token_rotation
        ),
        refresh_token_reuse_interval=read.value(
            "auth.refresh_token_reuse_interval", usual.refresh_token_reuse_interval
        ),
        custom_access_token_hook=read.hook("auth.hook.custom_access_token"),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path
    document: dict[str, Any]

    def value(self, key: str, usual: _Value) -> _Value:
        """The value at a dotted key, of the same type as the usual one."""
        found = self._find(key, type(usual))
        if found is None:
            return usual
        if type(found) is not type(usual):
            raise ProjectError(f"{self.path}: {key} must be {_KINDS[type(usual)]}, not {found!r}.")
        return found

    def number(self, key: str, usual: int, *, lowest: int = 0, highest: int = 2**31 - 1) -> int:
        found = self.value(key, usual)
        if not lowest <= found <= highest:
            raise ProjectError(f"{self.path}: {key} must be from {lowest} to {highest}, not {found}.")
        return found

    def names(self, key: str, usual: tuple[str, ...], *, least: int = 0) -> tuple[str, ...]:
        found = self._find(key, list)
        if found is None:
            return usual
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found) or len(found) < least:
            count = f", at least {least}" if least else ""
            raise ProjectError(f"{self.path}: {key} must be a list of strings{count}, not {found!r}.")
        return tuple(found)

    def hook(self, key: str) -> str:
        """The URI of a hook that is enabled."""
        return self.value(f"{key}.uri", "") if self.value(f"{key}.enabled", False) else ""

    def _find(self, key: str, kind: type) -> Any:
        found: Any = self.document
        for part in key.split("."):
            if not isinstance(found, dict):
                raise ProjectError(f"{self.path}: {key.rpartition('.')[0]} must be a table, not {found!r}.")
            found = found.get(part, {} if part != key.rpartition(".")[2] else None)
        match = _ENV.fullmatch(found) if isinstance(found, str) else None
        return _from_environment(match[1], kind) if match else found


def _from_environment(name: str, kind: type) -> Any:
    """What `env(NAME)` stands for, read as the kind that is wanted as far as it can be; None where it is not set."""
    text = os.environ.get(name)
    if text is None or kind is str:
        return text
    if kind is list:
        return text.split(",")
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    return int(text) if text.isdecimal() else text
