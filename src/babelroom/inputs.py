"""What callers may pass, and what others broadcast: checked here by the same rules as the database's."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from pydantic import ValidationError

from babelroom.errors import InvalidActivity, InvalidCode, InvalidId, InvalidInput, InvalidLanguage, InvalidText
from babelroom.models import ActivityType, MessageInsert, PerformanceMetrics
from babelroom.results import Partial, Tone, TranslationRequest

MAX_TEXT = 10_000
"""Characters in a message; the check on messages.original in the migrations."""

MAX_TRANSLATION = 40_000
"""Characters in a translation, which may be longer than its original; the check on messages.translation."""

MAX_BATCH = 1_000
"""Messages in one batch; public.send_messages in the migrations refuses more."""

_MAX_REASON = 1_000
"""Characters; public.fail_message in the migrations keeps no more."""

_SENT = {"id", "session_id", "user_id", "original", "original_lang", "target_lang"}
_CODE = re.compile(r"[0-9]{4}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_MAX_LANGUAGE = 10


def session_code(value: str) -> str:
    """Return the code, or raise InvalidCode."""
    if isinstance(value, str) and _CODE.fullmatch(value):
        return value
    raise InvalidCode(f"{InvalidCode.__doc__} Got {value!r:.40}.")


def language(value: str) -> str:
    """Return the BCP 47 tag, or raise InvalidLanguage."""
    if isinstance(value, str) and len(value) <= _MAX_LANGUAGE and _LANGUAGE.fullmatch(value):
        return value
    raise InvalidLanguage(f"{InvalidLanguage.__doc__} Got {value!r:.40}.")


def text(value: str, *, limit: int = MAX_TEXT) -> str:
    """Return the text, or raise InvalidText. Postgres stores no NUL and JSON no lone surrogate."""
    if not isinstance(value, str):
        raise InvalidText(f"A text is a str. Got {type(value).__name__}.")
    if not value.strip() or len(value) > limit:
        raise InvalidText(f"A text has 1 to {limit:,} characters, not only blanks. Got {len(value):,} characters.")
    if "\0" in value or not _encodes(value):
        raise InvalidText("A text holds neither NUL nor half a surrogate pair.")
    return value


def reason(value: str) -> str:
    """Return as much of a failure's reason as can be stored."""
    return value.replace("\0", "").encode(errors="replace").decode()[:_MAX_REASON]


def uuid(value: UUID | str) -> UUID:
    """Return the id as a UUID, or raise InvalidId."""
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidId(f"{InvalidId.__doc__} Got {value!r:.60}.") from error


def activity(value: ActivityType | str) -> ActivityType:
    """Return the activity, or raise InvalidActivity."""
    try:
        return ActivityType(value)
    except ValueError as error:
        raise InvalidActivity(f"{InvalidActivity.__doc__} Got {value!r:.40}.") from error


def whole_number(name: str, value: int, *, least: int = 0, most: int = 2**63 - 1) -> int:
    """Return the number, or raise InvalidInput. The default range is that of a seq or rev."""
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(f"{name} is a whole number from {least:,} to {most:,}. Got {value!r:.40}.")
    return value


def seconds(name: str, value: float) -> float:
    """Return the duration, or raise InvalidInput."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InvalidInput(f"{name} is a number of seconds, not negative. Got {value!r:.40}.")
    return float(value)


def instants(name: str, value: tuple[float, float]) -> tuple[float, float]:
    """Return two instants (epoch ms), the first of which is not the later, or raise InvalidInput."""
    try:
        begin, end = (float(each) for each in value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} is two instants in epoch ms. Got {value!r:.60}.") from error
    if not 0 <= begin <= end < math.inf:
        raise InvalidInput(f"{name} is two instants in epoch ms, the earlier one first. Got {value!r:.60}.")
    return begin, end


def metrics(value: PerformanceMetrics) -> PerformanceMetrics:
    """Return the metrics, or raise InvalidInput."""
    try:
        kind = type(value) if isinstance(value, PerformanceMetrics) else PerformanceMetrics
        return kind.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(f"Performance metrics are eight finite numbers. {error}") from error


def request(
    value: str,
    source: str,
    target: str,
    *,
    context: Sequence[str] = (),
    tone: Tone | str = Tone.CASUAL,
    glossary: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
) -> TranslationRequest:
    """Return what a translator is asked, or raise InvalidInput."""
    return TranslationRequest(
        text(value),
        language(source),
        language(target),
        context=texts("context", context),
        tone=_tone(tone),
        glossary=_glossary({} if glossary is None else glossary),
        keep=texts("keep", keep),
    )


def texts(name: str, value: Sequence[str]) -> tuple[str, ...]:
    """Return the texts, or raise InvalidInput: one text alone is a mistake, and would be taken letter by letter."""
    if isinstance(value, str) or not all(isinstance(each, str) for each in value):
        raise InvalidInput(f"{name} is a list of texts. Got {value!r:.60}.")
    return tuple(value)


def partial(value: object) -> Partial:
    """Return the partial translation that a broadcast holds, or raise InvalidInput."""
    try:
        read = Partial.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(f"A partial translation has the fields of Partial. {error}") from error
    whole_number("number", read.number, least=1)
    text(read.text, limit=MAX_TRANSLATION)
    language(read.source)
    language(read.target)
    return read


def batch(messages: Sequence[MessageInsert]) -> list[MessageInsert]:
    """Return the messages, each with its id, or raise InvalidInput that names the first wrong one by its index."""
    if len(messages) > MAX_BATCH:
        raise InvalidInput(f"A batch has at most {MAX_BATCH:,} messages. Got {len(messages):,}.")
    checked: list[MessageInsert] = []
    for index, message in enumerate(messages):
        try:
            checked.append(_new_message(message, checked[0].session_id if checked else None))
        except InvalidInput as error:
            raise type(error)(f"messages[{index}]: {error}") from error
    return checked


def _new_message(value: MessageInsert, session_id: UUID | None) -> MessageInsert:
    if not isinstance(value, MessageInsert):
        raise InvalidInput(f"A message to be sent is a MessageInsert. Got {type(value).__name__}.")
    if session_id is not None and value.session_id != session_id:
        raise InvalidInput("A batch is of one session, and this message is not of the first one's.")
    if given := [name for name, column in value if column is not None and name not in _SENT]:
        raise InvalidInput(f"The database sets {' and '.join(given)} of a new message itself: leave it out.")
    text(value.original)
    language(value.original_lang)
    language(value.target_lang)
    return value.model_copy(update={"id": uuid4()}) if value.id is None else value


def _tone(value: Tone | str) -> Tone:
    try:
        return Tone(value)
    except ValueError as error:
        raise InvalidInput(f"A tone is {', '.join(Tone)}. Got {value!r:.40}.") from error


def _glossary(value: Mapping[str, str]) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for pair in value.items() for each in pair):
        raise InvalidInput(f"A glossary maps terms to what they are in the target language. Got {value!r:.60}.")
    return value


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
