"""Media types: what Accept asks for, and in which of the forms we have it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from supalocal.rest.errors import RestError

if TYPE_CHECKING:
    from collections.abc import Mapping

OBJECT = "application/vnd.pgrst.object+json"
ARRAY = "application/vnd.pgrst.array+json"
PLAN = "application/vnd.pgrst.plan"
OPENAPI = "application/openapi+json"


class Form(Enum):
    """What an answer is made of."""

    JSON = "application/json"  # an array of rows, or what the function returns
    ONE_OBJECT = OBJECT  # exactly one row, without the array around it
    CSV = "text/csv"  # a header line and one line a row
    GEOJSON = "application/geo+json"  # a collection of features; PostgreSQL makes them, if it has PostGIS


@dataclass(frozen=True, slots=True)
class Explain:
    """How a plan is shown instead of an answer: PostgreSQL's EXPLAIN, as `json` or `text`."""

    format: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Media:
    """The form of an answer, and what is done to it."""

    form: Form
    strip_nulls: bool = False
    explain: Explain | None = None

    @property
    def content_type(self) -> str:
        return f"{self._name}; charset=utf-8"

    @property
    def _name(self) -> str:
        answer = self.form.value
        if self.strip_nulls:
            answer = f"{OBJECT if self.form is Form.ONE_OBJECT else ARRAY};nulls=stripped"
        if self.explain is None:
            return answer
        return _plan_name(self.explain.format, answer, self.explain.options)


_PLAN_OPTIONS = ("analyze", "verbose", "settings", "buffers", "wal")
_KNOWN = {
    "*/*",
    "application/json",
    "application/geo+json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "text/csv",
    "text/plain",
    "text/xml",
    OPENAPI,
}
_STRIPPED = ";nulls=stripped"
_OURS = {
    "*/*": Media(Form.JSON),
    "application/json": Media(Form.JSON),
    "text/csv": Media(Form.CSV),
    "application/geo+json": Media(Form.GEOJSON),
    OBJECT: Media(Form.ONE_OBJECT),
    OBJECT + _STRIPPED: Media(Form.ONE_OBJECT, strip_nulls=True),
    ARRAY + _STRIPPED: Media(Form.JSON, strip_nulls=True),
}


@lru_cache(maxsize=256)
def canonical_name(text: str) -> str:
    """A media type as PostgREST repeats it: what it knows in one form, anything else as it came."""
    base, parameters = _tokens(text)
    if base in _KNOWN:
        return base
    stripped = _STRIPPED if parameters.get("nulls") == "stripped" else ""
    if base in {OBJECT, OBJECT.removesuffix("+json")}:
        return OBJECT + stripped
    if base in {ARRAY, ARRAY.removesuffix("+json")}:
        return ARRAY + stripped if stripped else "application/json"
    if shown_as := _PLANS.get(base):
        return _plan_name(shown_as, canonical_name(_target(parameters)), _options(parameters))
    return text


_PLANS = {PLAN: "text", f"{PLAN}+text": "text", f"{PLAN}+json": "json"}


def _tokens(text: str) -> tuple[str, dict[str, str]]:
    base, *parameters = text.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return base.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _target(parameters: Mapping[str, str]) -> str:
    return parameters.get("for", "application/json")


def _options(parameters: Mapping[str, str]) -> tuple[str, ...]:
    given = parameters.get("options", "").split("|")
    return tuple(option for option in _PLAN_OPTIONS if option in given)


def _plan_name(shown_as: str, target: str, options: tuple[str, ...]) -> str:
    return f'{PLAN}+{shown_as}; for="{target}"' + (f"; options={'|'.join(options)}" if options else "")


@lru_cache(maxsize=256)
def accepted_types(accept: str | None) -> tuple[str, ...]:
    """The media types of an Accept header without blanks, the most wanted first."""
    if accept is None:
        return ("*/*",)
    weighed = [_weighed(item) for item in accept.replace(" ", "").split(",")]
    return tuple(name for name, _ in sorted(weighed, key=lambda pair: pair[1], reverse=True))


def _weighed(item: str) -> tuple[str, tuple[float, int]]:
    name, _, quality = item.partition(";q=")
    try:
        weight = float(quality.partition(";")[0]) if quality else 1.0
    except ValueError:
        weight = 1.0
    return name, (weight, name.count(";") - name.count("*"))


def negotiate(accept: str | None, *, plans: bool = False) -> Media:
    """The form of the answer; raises PGRST107 if none of the wanted ones is there. With `plans`, plans are."""
    return _negotiated(accepted_types(accept), plans)


@lru_cache(maxsize=256)
def _negotiated(wanted: tuple[str, ...], plans: bool) -> Media:
    for name in wanted:
        media = _OURS.get(canonical_name(name)) or (_explained(name) if plans else None)
        if media is not None:
            return media
    raise not_available(wanted)


def accepts_openapi(accept: str | None) -> None:
    """Raise PGRST107 unless an OpenAPI document is among what is wanted."""
    wanted = accepted_types(accept)
    if not any(canonical_name(name) in {"*/*", "application/json", OPENAPI} for name in wanted):
        raise not_available(wanted)


def not_available(wanted: tuple[str, ...]) -> RestError:
    names = ", ".join(canonical_name(name) for name in wanted)
    return RestError(406, "PGRST107", f"None of these media types are available: {names}")


def _explained(name: str) -> Media | None:
    base, parameters = _tokens(name)
    media = _OURS.get(canonical_name(_target(parameters)))
    if base not in _PLANS or media is None:
        return None
    return Media(media.form, media.strip_nulls, Explain(_PLANS[base], _options(parameters)))
