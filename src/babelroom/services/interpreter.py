"""The interpreter: from a voice or a line of text to a message that the other person can read, in one call."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID, uuid4

from babelroom import inputs
from babelroom.audio import Recording
from babelroom.deadlines import deadline
from babelroom.errors import BabelroomError, ClientClosed, Conflict, MessageNotFound
from babelroom.models import ActivityType, Message, MessageStatus, MessageUpdate, MeteredMetrics
from babelroom.repositories.messages import MessageRepository
from babelroom.results import Tone, Transcript, Translation
from babelroom.services.activity import ActivityService
from babelroom.services.translation import TranslationService

logger = logging.getLogger("babelroom")

T = TypeVar("T")

_FAREWELL = 3.0
"""Seconds that saying why a message failed may take."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What was said, and what became of it."""

    message: Message
    """The row as stored: translated, ready to display."""
    translation: Translation
    transcript: Transcript | None
    """None where a text was given."""


@dataclass(frozen=True, slots=True)
class Steering:
    """How to translate."""

    context: tuple[str, ...] | None
    """None: the session's last turns."""
    tone: Tone
    glossary: Mapping[str, str]
    keep: tuple[str, ...]
