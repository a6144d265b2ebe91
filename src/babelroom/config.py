"""Settings: the only reader of the environment, .env.local and .env."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, SecretStr, field_validator

from babelroom.errors import ConfigurationError, MissingCredentials

# `.invalid` is reserved: it never resolves, so nothing is ever sent anywhere.
DUMMY_URL = "https://dummy.supabase.invalid"
DUMMY_KEY = "sb_publishable_dummy"

VARIABLES: Mapping[str, tuple[str, ...]] = {
    "supabase_url": ("SUPABASE_URL", "VITE_SUPABASE_URL"),
    "supabase_key": (
        "SUPABASE_PUBLISHABLE_KEY",
        "SUPABASE_ANON_KEY",
        "SUPABASE_KEY",
        "VITE_SUPABASE_PUBLISHABLE_KEY",
        "VITE_SUPABASE_ANON_KEY",
    ),
    "supabase_secret_key": ("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"),
    "openai_api_key": ("OPENAI_API_KEY", "VITE_OPENAI_API_KEY"),
    "openai_base_url": ("OPENAI_BASE_URL",),
    "translators": ("BABELROOM_TRANSLATORS",),
    "translation_model": ("BABELROOM_TRANSLATION_MODEL",),
    "transcription_model": ("BABELROOM_TRANSCRIPTION_MODEL",),
    "speech_model": ("BABELROOM_SPEECH_MODEL",),
    "prices": ("BABELROOM_PRICES",),
    "deadline": ("BABELROOM_DEADLINE",),
}
"""Which variables a setting is read from; the first one that is set wins."""

_NO_KEY_OF_A_WORKER = (
    "The worker needs the project's secret key: set SUPABASE_SECRET_KEY (environment, .env.local or .env) to the "
    "sb_secret_... key of the dashboard's API settings."
)
_KEY = re.compile(r"sb_[a-z]+_[\w-]+|[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class Settings(BaseModel):
    """What a client needs to know. Frozen; keys are secret and never printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    supabase_url: str = DUMMY_URL
    supabase_key: SecretStr = SecretStr(DUMMY_KEY)
    supabase_secret_key: SecretStr | None = None
    """Only the worker and its queue use it; no client does."""
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    translators: tuple[Literal["openai", "apertium", "phrasebook"], ...] | None = None
    """Who translates, the next one where the one before cannot. None: OpenAI if there is a key, else the other two."""
    translation_model: str = "gpt-4o-mini"
    translation_temperature: float = Field(default=0.3, ge=0, le=2)
    translation_deadline: float = Field(default=30.0, gt=0)
    """Seconds that translating, transcribing or speaking may take, retries included."""
    context_turns: int = Field(default=6, ge=0)
    """How many of a conversation's last turns help to translate the next one."""
    transcription_model: str = "whisper-1"
    speech_model: str = "tts-1"
    voices: Mapping[str, str] = Field(default_factory=dict)
    """The voice of a language, by its tag, where it is not the one of the table of languages."""
    prices: Path | None = None
    """A price table of your own, in the form of babelroom's prices.tsv."""
    deadline: float = Field(default=10.0, gt=0)
    """Seconds that a call may take, retries included."""
    transport: Literal["aiohttp", "httpx"] = "aiohttp"
    """What carries HTTP: aiohttp takes a quarter of the processor time; httpx is supabase-py's own."""
    max_connections: int = Field(default=100, gt=0)
    """HTTP connections that the services share."""
    subscribe_timeout: float = Field(default=15.0, gt=0)
    """Seconds that subscribing may take: a cold Realtime takes up to 8."""
    heartbeat_interval: float = Field(default=25.0, gt=0)
    """Seconds between heartbeats. One that is not answered before the next is due means a new connection."""
    reconnect_delays: tuple[PositiveFloat, ...] = Field(default=(1.0, 2.0, 4.0, 8.0, 15.0, 30.0), min_length=1)
    """Seconds between attempts to connect to Realtime, a quarter more or less; the last one stays, without end."""
    poll_interval: float = Field(default=2.0, gt=0)
    """Seconds between polls while Realtime is away and REST answers; up to five times that when nothing happens."""
    buffer_size: int = Field(default=1_000, gt=0)
    """Items that a subscription holds for a slow reader; more is fetched when there is room."""
    events_per_second: int = Field(default=10, gt=0)
    """Told to Realtime, as supabase-js does; and how many partial translations of a message are sent, at most."""

    @property
    def has_credentials(self) -> bool:
        return self.supabase_url != DUMMY_URL

    @field_validator("translators", mode="before")
    @classmethod
    def _split_names(cls, names: object) -> object:
        return [name.strip() for name in names.split(",")] if isinstance(names, str) else names

    @field_validator("supabase_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return _checked_url(url)

    @field_validator("supabase_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        return SecretStr(_checked_key(key.get_secret_value()))

    @field_validator("supabase_secret_key")
    @classmethod
    def _check_secret_key(cls, key: SecretStr | None) -> SecretStr | None:
        return key and SecretStr(_checked_key(key.get_secret_value()))

    @classmethod
    def load(
        cls, *, url: str | None = None, key: str | None = None, folder: Path | None = None, **settings: Any
    ) -> Self:
        """Read the process environment, then `.env.local`, then `.env` in the folder (default: where we run).

        A URL and key given here beat the environment, as a pair. Without any, a warning says so and dummy values
        stand in: every call then raises MissingCredentials. Other settings given here beat the environment too.

        Raises:
            ConfigurationError: a value is malformed, or only one of URL and key was given.
        """
        values: dict[str, Any] = _read(folder or Path.cwd()) | settings
        if (url is None) != (key is None):
            raise ConfigurationError("Give the Supabase URL and its key together: one without the other is ambiguous.")
        if url is not None and key is not None:
            values.update(supabase_url=url, supabase_key=key)
        _warn_unless_complete(values)
        try:
            return cls.model_validate(values)
        except ValueError as error:
            raise ConfigurationError(f"A setting is malformed. {error}") from error

    @classmethod
    def load_secret(cls, *, folder: Path | None = None, **settings: Any) -> Self:
        """Read the same, for a worker: the secret key takes the public one's place, which need not be set.

        Raises:
            MissingCredentials: there is no URL.
            ConfigurationError: there is no secret key, or a value is malformed.
        """
        values = _read(folder or Path.cwd()) | settings
        if not values.get("supabase_url"):
            raise MissingCredentials("SUPABASE_URL is not set: a worker needs it, and SUPABASE_SECRET_KEY.")
        if not values.get("supabase_secret_key"):
            raise ConfigurationError(_NO_KEY_OF_A_WORKER)
        return cls.load(folder=folder, url=values["supabase_url"], key=values["supabase_secret_key"], **settings)

    def with_secret_key(self) -> Self:
        """Return the settings of a client that acts by the secret key, past row level security.

        Raises:
            ConfigurationError: there is none.
        """
        if self.supabase_secret_key is None:
            raise ConfigurationError(_NO_KEY_OF_A_WORKER)
        return self.model_copy(update={"supabase_key": self.supabase_secret_key})


def _read(folder: Path) -> dict[str, str]:
    sources: list[Mapping[str, str | None]] = [os.environ, _env_file(folder / ".env.local"), _env_file(folder / ".env")]
    found: dict[str, str] = {}
    for setting, names in VARIABLES.items():
        given = (value.strip() for source in sources for name in names if (value := source.get(name)))
        first = next(filter(None, given), None)
        if first is not None:
            found[setting] = first
    return found


def _env_file(path: Path) -> Mapping[str, str | None]:
    try:
        return dotenv_values(path, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path.name} is not UTF-8: save it again as UTF-8.") from error


def _warn_unless_complete(values: dict[str, Any]) -> None:
    if values.get("supabase_url") and values.get("supabase_key"):
        return
    missing = "SUPABASE_PUBLISHABLE_KEY" if values.get("supabase_url") else "SUPABASE_URL"
    values.pop("supabase_url", None)
    values.pop("supabase_key", None)
    warnings.warn(f"{missing} is not set. {MissingCredentials.__doc__}", stacklevel=3)


def _checked_url(url: str) -> str:
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        is_bare = not (parts.path or parts.query or parts.fragment or parts.username) and not re.search(r"\s", url)
        parts.netloc.encode("idna")
    except ValueError:
        is_address = is_bare = False
    if not (is_address and is_bare):
        raise ConfigurationError(
            f"SUPABASE_URL is the project's address, without a path, as the dashboard gives it. Got {url!r}."
        )
    return parts.geturl()


def _checked_key(key: str) -> str:
    key = key.strip()
    if not _KEY.fullmatch(key):
        raise ConfigurationError(
            "The Supabase key has the wrong shape: copy the whole publishable key (sb_publishable_...) or anon key "
            "(a JWT of three parts) from the project's API settings."
        )
    return key
