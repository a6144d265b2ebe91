from uuid import UUID

import pytest

from babelroom import inputs
from babelroom.errors import InvalidActivity, InvalidCode, InvalidId, InvalidLanguage, InvalidText
from babelroom.models import ActivityType


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
