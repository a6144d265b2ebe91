"""The rows of the three tables and what is written to them, as frozen models.

Names, types and nullability are those of the founding spec's `Database` types; `seq` and `rev` order a conversation.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class MessageStatus(StrEnum):
    QUEUED = "queued"
    """Waits for its translation."""
    PROCESSING = "processing"
    """Claimed by a translator; with a translation: ready to display."""
    DISPLAYED = "displayed"
    """The other person has seen it. Final."""
    FAILED = "failed"
    """Could not be translated; may be queued again."""


class ActivityType(StrEnum):
    TYPING = "typing"
    RECORDING = "recording"
    PROCESSING = "processing"
    """What was said is being transcribed or translated."""
    IDLE = "idle"


class _Row(BaseModel):
    # A column that a later migration adds must not break an older client.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Identified(_Row):
    """A row with an id of its own."""

    id: UUID


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_row(self) -> dict[str, Any]:
        """Only what was given, as JSON: a column left out keeps its default or its value."""
        return self.model_dump(mode="json", exclude_unset=True)


_METRICS = ConfigDict(
    frozen=True,
    alias_generator=to_camel,
    populate_by_name=True,
    serialize_by_alias=True,
    allow_inf_nan=False,
    revalidate_instances="always",
)


class Usage(BaseModel):
    """What a model was given and has made: what it bills. camelCase on the wire."""

    model_config = _METRICS

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    audio_seconds: float = 0.0
    """Seconds of sound that were transcribed."""
    characters: int = 0
    """Characters that were spoken."""


class PerformanceMetrics(BaseModel):
    """When each step of a message happened (epoch ms), and the two durations (ms). camelCase on the wire.

    Where nothing was recorded, the instants of recording and transcribing are those of the text.
    """

    model_config = _METRICS

    audio_recording_start: float
    audio_recording_end: float
    whisper_request_start: float
    whisper_response_end: float
    translation_request_start: float
    translation_response_end: float
    message_delivery_time: float
    """Duration in ms: from storing the translation until it was displayed, which the database fills in then."""
    total_end_to_end_time: float
    """Duration in ms: from the end of the recording, or from sending the text, until the translation was displayed."""


class MeteredMetrics(PerformanceMetrics):
    """The founding spec's eight, and beside them what models used: what stats() adds up."""

    usage: tuple[Usage, ...]


class Session(Identified):
    """A conversation that two people find by a four-digit code."""

    code: str
    created_at: datetime
    expires_at: datetime
    is_active: bool
    user_count: int
    last_activity: datetime


class EndCause(StrEnum):
    CLOSED = "closed"
    """Somebody closed it, or deleted it."""
    EXPIRED = "expired"
    """Its time is over."""


class SessionEnded(Session):
    """The last thing that a subscriber to a session hears: the row at its end, and why it ended."""

    cause: EndCause


class SessionInsert(_Payload):
    id: UUID | None = None
    code: str
    created_at: datetime | None = None
    expires_at: datetime | None = None
    is_active: bool | None = None
    user_count: int | None = None
    last_activity: datetime | None = None


class SessionUpdate(_Payload):
    id: UUID | None = None
    code: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    is_active: bool | None = None
    user_count: int | None = None
    last_activity: datetime | None = None


class Participant(_Row):
    """Someone who takes part in a session, and the language that they speak."""

    session_id: UUID
    user_id: UUID
    lang: str | None
    """BCP 47 tag; None for someone who joined by the code alone."""
    joined_at: datetime
    last_seen: datetime
    left_at: datetime | None
    is_away: bool
    """Not seen for two minutes, or what the database's settings say; counts again at the next sign of life."""


class Message(Identified):
    """What was said, and how far its translation is."""

    session_id: UUID
    user_id: UUID
    original: str
    translation: str | None
    original_lang: str
    target_lang: str
    status: MessageStatus
    queued_at: datetime
    processed_at: datetime | None
    displayed_at: datetime | None
    error: str | None
    """Why the translation failed; None in every other status."""
    performance_metrics: Any
    """JSON, as written: usually what PerformanceMetrics.model_validate reads."""
    timestamp: datetime
    created_at: datetime
    seq: int
    """The place in the conversation, for ever."""
    rev: int
    """The number of this state: within a session it rises with each insert and update, in commit order."""


class ReadyMessage(Message):
    """A message in conversation order: translated, or failed for good."""

    is_late: bool
    """It was not ready in time, and passed over: later ones may have come before it."""
    resume_after: int
    """Every message up to this seq has come: give it as `after` to go on from here."""


class Claim(Identified):
    """A message that a worker holds for the time of a lease: what translating it needs."""

    session_id: UUID
    user_id: UUID
    original: str
    original_lang: str
    target_lang: str
    seq: int
    token: UUID
    """Proves the claim: it completes, fails, releases or extends it."""
    leased_until: datetime
    attempt: int
    """1, and one more for each failure."""
    queued_at: datetime
    context: tuple[str, ...] = ()
    """What was said before it, the oldest first."""


class MessageInsert(_Payload):
    id: UUID | None = None
    session_id: UUID
    user_id: UUID
    original: str
    translation: str | None = None
    original_lang: str
    target_lang: str
    status: MessageStatus | None = None
    queued_at: datetime | None = None
    processed_at: datetime | None = None
    displayed_at: datetime | None = None
    error: str | None = None
    performance_metrics: MeteredMetrics | PerformanceMetrics | None = None
    timestamp: datetime | None = None
    created_at: datetime | None = None


class MessageUpdate(_Payload):
    id: UUID | None = None
    session_id: UUID | None = None
    user_id: UUID | None = None
    original: str | None = None
    translation: str | None = None
    original_lang: str | None = None
    target_lang: str | None = None
    status: MessageStatus | None = None
    queued_at: datetime | None = None
    processed_at: datetime | None = None
    displayed_at: datetime | None = None
    error: str | None = None
    performance_metrics: MeteredMetrics | PerformanceMetrics | None = None
    timestamp: datetime | None = None
    created_at: datetime | None = None


class UserActivity(Identified):
    """What a user of a session is doing."""

    session_id: UUID
    user_id: UUID
    activity_type: ActivityType
    started_at: datetime
    updated_at: datetime


class UserActivityInsert(_Payload):
    id: UUID | None = None
    session_id: UUID
    user_id: UUID
    activity_type: ActivityType
    started_at: datetime | None = None
    updated_at: datetime | None = None


class UserActivityUpdate(_Payload):
    id: UUID | None = None
    session_id: UUID | None = None
    user_id: UUID | None = None
    activity_type: ActivityType | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None
