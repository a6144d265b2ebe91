"""What translating, transcribing and speaking are asked and give back, whoever does the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from babelroom.models import MessageStatus, Usage


class Tone(StrEnum):
    CASUAL = "casual"
    """As among friends: tú, você, British English."""
    FORMAL = "formal"
    """As with strangers: usted, o senhor or a senhora."""
    FUN = "fun"
    """As casual, with at most one emoji that fits."""


class Steering(TypedDict, total=False):
    """How to translate, as keyword arguments."""

    context: Sequence[str]
    """The last turns of the conversation, the oldest first."""
    tone: Tone | str
    """casual (if not given), formal or fun."""
    glossary: Mapping[str, str]
    """Terms of the source, and what they are in the target."""
    keep: Sequence[str]
    """Names and terms that stay as they are."""


@dataclass(frozen=True, slots=True)
class TranslationRequest:
    """What a translator is asked."""

    text: str
    source: str
    """BCP 47 tag, as `target`."""
    target: str
    context: tuple[str, ...] = ()
    """The last turns of the conversation, in any of its languages, the oldest first."""
    tone: Tone = Tone.CASUAL
    glossary: Mapping[str, str] = field(default_factory=dict)
    """Terms of the source, and what they are in the target."""
    keep: Sequence[str] = ()
    """Names and terms that stay as they are."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Latency(_Result):
    """How long the answer took (ms), retries and fallbacks included."""

    first: float | None
    """Until the first part of it; None where it came in one piece."""
    total: float


class _Costed(_Result):
    """`cost` and `latency` are the service's to fill in."""

    provider: str
    """Who made it, such as "openai gpt-4o-mini"."""
    model: str | None = None
    """None where no model has a name."""
    usage: Usage | None = None
    """What it used, failed attempts included; None where nothing is counted."""
    cost: Decimal | None = None
    """US dollars by the price table; None: it knows no price for the model."""
    latency: Latency | None = None
    switches: tuple[str, ...] = ()
    """Why each provider before this one did not do it, a sentence each."""


class Translation(_Costed):
    """What a translator made of a text."""

    text: str
    source: str
    target: str
    is_translated: bool = True
    """False when the provider did not know the text: it is passed through, marked as untranslated."""


class Segment(_Result):
    """A part of a recording."""

    start: float
    """Seconds from the beginning, as `end`."""
    end: float
    text: str
    no_speech_prob: float | None = None
    """How probably nobody spoke, 0 to 1."""
    avg_logprob: float | None = None
    """How sure the model is: the mean of its tokens' natural logarithms, at most 0."""


class Transcript(_Costed):
    """What was said in a recording."""

    text: str
    language: str
    """BCP 47 tag: what was detected, or else what was asked for."""
    duration: float | None
    """Seconds of audio; None: the provider does not say."""
    segments: tuple[Segment, ...] = ()


class Speech(_Costed):
    """A text, spoken."""

    audio: bytes
    format: str
    """The kind of file, such as "mp3"."""
    language: str
    voice: str


class Partial(_Result):
    """A translation as far as it has come. The message's row replaces it; one that is lost does not matter."""

    message_id: UUID
    user_id: UUID
    """Who said it."""
    number: int
    """Rises with each partial of a message; what is missing in between was left out or lost."""
    text: str
    """All of it so far: it begins with the text of every earlier partial."""
    source: str
    target: str


HOPS = ("record", "transcribe", "translate", "deliver", "total")
"""The parts of a message's way, in their order; the last one is from the end of the recording on."""


class Hop(_Result):
    """How long one part of the messages' way took (ms); nearest-rank percentiles."""

    messages: int
    """How many went it."""
    p50: float
    p95: float
    max: float


class ModelUse(Usage):
    """What a session's messages used of one model."""

    cost: Decimal | None
    """US dollars by the price table; None: it knows no price for the model."""


class SessionFigures(_Result):
    """A session's figures as the database has them."""

    messages: Mapping[MessageStatus, int]
    """How many there are, by status; a status that no message has is left out."""
    hops: Mapping[str, Hop]
    """record, transcribe, translate, deliver, total: those that any message went.

    `deliver` is from storing the translation until it was displayed; `total` from the end of the recording, or from
    sending a text, until it was displayed (or, as long as it is not, until its translation was stored).
    """
    usage: tuple[Usage, ...]


class SessionStats(SessionFigures):
    """A session's figures, with what they cost."""

    usage: tuple[ModelUse, ...]
    """By model."""
    prices_as_of: str
    """The date of the price table."""

    @property
    def cost(self) -> Decimal:
        """US dollars for all models whose price is known."""
        return sum((use.cost for use in self.usage if use.cost is not None), Decimal(0))
