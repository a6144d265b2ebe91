"""Media types: what Accept asks for, and in which of the forms we have it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from supalocal.rest.errors import RestError

OBJECT = "application/vnd.pgrst.object+json"
ARRAY = "application/vnd.pgrst.array+json"
PLAN = "application/vnd.pgrst.plan"
OPENAPI = "application/openapi+json"


class Form(Enum):
    """What an answer is made of."""

    JSON = "application/json"  # an array of rows, or what the function returns
    ONE_OBJECT = OBJECT  # exactly one row, without the array around it
    CSV = "text/csv"  # a header line and one line a row


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
        options = f"; options={'|'.join(self.explain.options)}" if self.explain.options else ""
        return f'{PLAN}+{self.explain.format}; for="{answer}"{options}'


_PLAIN = {
    "*/*": Media(Form.JSON),
    "application/json": Media(Form.JSON),
    "text/csv": Media(Form.CSV),
}


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
        media = _explained(name) if plans and name.startswith(PLAN) else _media(name)
        if media is not None:
            return media
    raise not_available(wanted)


def accepts_openapi(accept: str | None) -> None:
    """Raise PGRST107 unless an OpenAPI document is among what is wanted."""
    wanted = accepted_types(accept)
    if not any(name.partition(";")[0] in {"*/*", "application/json", OPENAPI} for name in wanted):
        raise not_available(wanted)


def not_available(wanted: tuple[str, ...]) -> RestError:
    names = ", ".join(_canonical(name) for name in wanted)
    return RestError(406, "PGRST107", f"None of these media types are available: {names}")


def _media(name: str) -> Media | None:
    base, *parameters = name.split(";")
    strip = parameters == ["nulls=stripped"]
    if base in {OBJECT, OBJECT.removesuffix("+json")}:
        return Media(Form.ONE_OBJECT, strip_nulls="nulls=stripped" in parameters)
    if base in {ARRAY, ARRAY.removesuffix("+json")}:
        return Media(Form.JSON, strip_nulls=strip)
    return _PLAIN.get(base)


def _explained(name: str) -> Media | None:
    base, *parameters = name.split(";")
    shown_as = {"": "text", "+text": "text", "+json": "json"}.get(base.removeprefix(PLAN))
    media = _media(_parameter(parameters, "for=").strip('"') or "application/json")
    if shown_as is None or media is None:
        return None
    options = tuple(option for option in _parameter(parameters, "options=").split("|") if option in _OPTIONS)
    return Media(media.form, media.strip_nulls, Explain(shown_as, options))


_OPTIONS = {"analyze", "verbose", "settings", "buffers", "wal"}


def _parameter(parameters: list[str], prefix: str) -> str:
    return next((parameter.removeprefix(prefix) for parameter in parameters if parameter.startswith(prefix)), "")


def _canonical(name: str) -> str:
    # PostgREST repeats a known type without its parameters and a plan type with what it is a plan for.
    base, *parameters = name.split(";")
    if base.startswith(PLAN):
        kind = base.removeprefix(PLAN) or "+text"
        target = _parameter(parameters, "for=").strip('"') or "application/json"
        return f'{PLAN}{kind}; for="{target}"'
    return base
