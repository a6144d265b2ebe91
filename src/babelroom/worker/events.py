"""What a worker tells its operator, by logging: an event's name and its facts. What people say is none of them."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from babelroom.models import Claim

logger = logging.getLogger("babelroom.worker")


def tell(event: str, claim: Claim | None = None, *, level: int = logging.INFO, **facts: Any) -> None:
    """Log the event, with what tells its message from others."""
    if not logger.isEnabledFor(level):
        return
    if claim is not None:
        named = {"message_id": str(claim.id), "session_id": str(claim.session_id), "attempt": claim.attempt}
        facts = named | facts
    text = " ".join([event, *(f"{name}={value}" for name, value in facts.items())])
    logger.log(level, text, extra={"event": event, "facts": facts})


def without_words(error: BaseException, claim: Claim) -> str:
    """The error's sentence for a log; the message's text is cut out, where it is quoted."""
    return f"{type(error).__name__}: {error}".replace(claim.original, "...")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event, and the event's facts; what else is logged has the event "log"."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "event": getattr(record, "event", "log")}
        line |= getattr(record, "facts", None) or {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
