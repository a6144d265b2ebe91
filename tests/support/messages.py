"""Messages as rows that no database made, for what is pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from babelroom.models import Message, MessageStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = UUID(int=1)


def state(rev: int, seq: int | None = None, **columns: Any) -> Message:
    """The state `rev` of the message `seq`; of its first one both are the same. Each was said a ms after the other."""
    seq = seq or rev
    said_at = NOW + timedelta(milliseconds=seq)
    row = {
        "id": UUID(int=seq), "session_id": SESSION, "user_id": UUID(int=2), "original": "Hi", "translation": None,
        "original_lang": "en", "target_lang": "es", "status": MessageStatus.QUEUED, "queued_at": said_at,
        "processed_at": None, "displayed_at": None, "error": None, "performance_metrics": None, "timestamp": said_at,
        "created_at": said_at, "seq": seq, "rev": rev,
    }  # fmt: skip
    return Message(**row | columns)


def translated(rev: int, seq: int | None = None, **columns: Any) -> Message:
    """A state in which the message can be shown."""
    return state(rev, seq, **{"translation": "Hola", "status": MessageStatus.PROCESSING} | columns)
