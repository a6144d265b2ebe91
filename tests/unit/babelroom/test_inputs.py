from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from babelroom import inputs
from babelroom.errors import InvalidActivity, InvalidCode, InvalidId, InvalidInput, InvalidLanguage, InvalidText
from babelroom.models import ActivityType, MessageInsert, MessageStatus, PerformanceMetrics
from babelroom.results import Partial

SESSION = uuid4()


@pytest.mark.parametrize("code", ["0000", "4711", "9999"])
def test_four_digits_are_a_code(code):
    """All 10,000 codes are valid, with leading zeros."""
    assert inputs.session_code(code) == code


@pytest.mark.parametrize("code", ["", "123", "12345", "12a4", " 123", "1234\n", "١٢٣٤", 1234, None])
def test_anything_else_is_no_code(code):
    """Digits of other scripts, blanks and numbers are refused, and the message shows what came."""
    with pytest.raises(InvalidCode, match="exactly four digits"):
        inputs.session_code(code)


@pytest.mark.parametrize("tag", ["en", "es", "pt-BR", "yue", "zh-Hant-TW"])
def test_bcp_47_tags_are_languages(tag):
    """Up to the ten characters that the column holds."""
    assert inputs.language(tag) == tag


@pytest.mark.parametrize("tag", ["", "e", "english", "en_US", "en-", "zh-Hant-TW-x", "en ", "es\n", "e1", None, 7])
def test_anything_else_is_no_language(tag):
    """The same rule as the check in the migrations."""
    with pytest.raises(InvalidLanguage, match="BCP 47"):
        inputs.language(tag)


@pytest.mark.parametrize("text", ["a", "¿Qué tal?", "日本語", "😀", "x" * 10_000, "a\nb"])
def test_up_to_ten_thousand_characters_are_a_text(text):
    """Characters count, not bytes."""
    assert inputs.text(text) == text


@pytest.mark.parametrize("text", ["", "  \n", "x" * 10_001, "a\0b", "\ud800", None, b"bytes"])
def test_what_postgres_cannot_store_is_no_text(text):
    """NUL and half surrogates would fail in the database, so they fail here."""
    with pytest.raises(InvalidText):
        inputs.text(text)


def test_an_id_may_come_as_text():
    """A UUID and its text form are the same id."""
    text = "6f1c0a52-0d6c-4f57-9f2b-0b6b3f3f5c11"
    assert inputs.uuid(text) == inputs.uuid(UUID(text)) == UUID(text)


@pytest.mark.parametrize("value", ["", "test-user", None, 7, "6f1c0a52"])
def test_anything_else_is_no_id(value):
    """The founding spec's own "test-user" is one of them."""
    with pytest.raises(InvalidId, match="UUID"):
        inputs.uuid(value)


def test_an_activity_is_one_of_four():
    """Names are accepted as the enum's values."""
    assert inputs.activity("typing") is ActivityType.TYPING
    with pytest.raises(InvalidActivity, match="singing"):
        inputs.activity("singing")


def said(original="Hello", **columns):
    row = {"session_id": SESSION, "user_id": uuid4(), "original": original, "original_lang": "en", "target_lang": "es"}
    return MessageInsert(**(row | columns))


def test_every_message_of_a_batch_has_an_id():
    """Its own, or a new one; nothing else changes, and what was given stays as it is."""
    given = [said("one"), said("two", id=uuid4(), translation=None), said("three")]
    checked = inputs.batch(given)
    assert [message.id for message in given] == [None, given[1].id, None]
    assert len({message.id for message in checked} - {None}) == 3
    assert checked[1] == given[1]
    assert [message.model_copy(update={"id": None}) for message in checked[::2]] == given[::2]


def test_a_batch_has_at_most_a_thousand_messages():
    """As many as the database takes in one call."""
    assert len(inputs.batch([said()] * 1_000)) == 1_000
    with pytest.raises(InvalidInput, match=r"at most 1,000 messages\. Got 1,001\."):
        inputs.batch([said()] * 1_001)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (said(" "), InvalidText, "not only blanks"),
        (said("x" * 10_001), InvalidText, "Got 10,001 characters"),
        (said(original_lang="english"), InvalidLanguage, "'english'"),
        (said(target_lang="es_ES"), InvalidLanguage, "'es_ES'"),
        (said(session_id=uuid4()), InvalidInput, "of one session"),
        ({"original": "Hello"}, InvalidInput, "is a MessageInsert. Got dict"),
    ],
    ids=["blank", "too long", "original_lang", "target_lang", "another session", "no message"],
)
def test_what_is_wrong_in_a_batch_is_named_by_its_index(wrong, error, words):
    """The first one, with the type of error that it alone would have."""
    with pytest.raises(InvalidInput) as caught:
        inputs.batch([said(), said(), wrong, said("")])
    assert type(caught.value) is error
    assert str(caught.value).startswith("messages[2]: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "column",
    [
        {"status": MessageStatus.QUEUED},
        {"translation": "Hola"},
        {"error": "none"},
        *(
            {name: datetime.now(UTC)}
            for name in ("queued_at", "processed_at", "displayed_at", "timestamp", "created_at")
        ),
    ],
    ids=lambda column: next(iter(column)),
)
def test_what_the_database_sets_is_refused_in_a_batch(column):
    """Not dropped: the caller would believe that it was stored."""
    [name] = column
    with pytest.raises(InvalidInput, match=rf"messages\[0\]: The database sets {name} of a new message itself"):
        inputs.batch([said(**column)])


def test_all_that_the_database_sets_is_named():
    """In one sentence; metrics come with the translation."""
    metrics = dict.fromkeys(PerformanceMetrics.model_fields, 1.0)
    with pytest.raises(InvalidInput, match="translation and status and performance_metrics"):
        inputs.batch([said(translation="Hola", status="displayed", performance_metrics=metrics)])


PARTIAL = Partial(message_id=SESSION, user_id=SESSION, number=3, text="x" * 40_000, source="en", target="pt-BR")


def test_what_was_sent_as_a_partial_is_read_as_one():
    """It comes as JSON."""
    assert inputs.partial(PARTIAL.model_dump(mode="json")) == PARTIAL


@pytest.mark.parametrize(
    "changed",
    [
        {"message_id": None}, {"user_id": "me"}, {"number": 0}, {"number": 2**63}, {"number": 1.5}, {"text": " "},
        {"text": "x" * 40_001}, {"text": ["x"]}, {"source": ""}, {"target": "en_US"},
    ],
)  # fmt: skip
def test_anything_else_is_no_partial(changed):
    """Anybody can broadcast anything: the rules are those of the rows."""
    with pytest.raises(InvalidInput):
        inputs.partial(PARTIAL.model_dump(mode="json") | changed)


@pytest.mark.parametrize("value", [None, [], "text", {}])
def test_a_partial_is_an_object(value):
    """With all its fields."""
    with pytest.raises(InvalidInput, match="fields of Partial"):
        inputs.partial(value)
