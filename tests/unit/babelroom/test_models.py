from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pydantic import ValidationError

from babelroom import MessageInsert, MessageStatus, MessageUpdate, PerformanceMetrics, Session

METRICS = {
    "audioRecordingStart": 1.0,
    "audioRecordingEnd": 2.0,
    "whisperRequestStart": 3.0,
    "whisperResponseEnd": 4.0,
    "translationRequestStart": 5.0,
    "translationResponseEnd": 6.0,
    "messageDeliveryTime": 7.0,
    "totalEndToEndTime": 8.0,
}


def test_metrics_are_the_specs_eight_fields_on_the_wire():
    """CamelCase there and back, as a front end reads and writes them."""
    metrics = PerformanceMetrics.model_validate(METRICS)
    assert metrics.translation_request_start == 5
    assert metrics.model_dump() == METRICS
    assert MessageUpdate(performance_metrics=metrics).to_row() == {"performance_metrics": METRICS}


def test_a_payload_holds_only_what_was_given():
    """A column left out keeps its default or its value; one set to None becomes null."""
    session, user = uuid4(), uuid4()
    insert = MessageInsert(session_id=session, user_id=user, original="Hi", original_lang="en", target_lang="es")
    assert insert.to_row() == {
        "session_id": str(session),
        "user_id": str(user),
        "original": "Hi",
        "original_lang": "en",
        "target_lang": "es",
    }
    assert MessageUpdate(translation=None, status=MessageStatus.QUEUED).to_row() == {
        "translation": None,
        "status": "queued",
    }


def test_a_payload_refuses_a_column_that_does_not_exist():
    """A typing mistake fails here, not in the database."""
    with pytest.raises(ValidationError):
        MessageUpdate(translatoin="Hola")


def test_a_row_bears_a_column_that_it_does_not_know():
    """A later migration does not break an older client, and rows cannot be changed."""
    now = datetime.now(UTC)
    session = Session(
        id=uuid4(), code="0042", created_at=now, expires_at=now, is_active=True, user_count=0, last_activity=now,
        colour="green",
    )  # fmt: skip
    assert "colour" not in session.model_dump()
    with pytest.raises(ValidationError):
        session.code = "1"
