"""Whether the conversation arrived: what the callbacks saw and what is stored, held against what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from babelroom.demo.conversation import Line
from babelroom.models import Message, MessageStatus

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Said:
    """A line that was sent."""

    line: Line
    listener: int
    """Which side it was for: 0 or 1."""
    message_id: UUID
    translation: str | None = None
    """What the speaker stored; None if it did not come to that."""
    is_marked: bool = False
    """Whether it was handed on untranslated, marked with its language."""


def faults(
    lines: Sequence[Line], said: Sequence[Said], seen: Sequence[Sequence[Message]], rows: Sequence[Message]
) -> list[str]:
    """Return one sentence for each thing that was missing, none if all is well.

    `seen` holds, for each side, every state of a message that its callback got, in the order it came; `rows` the
    session's messages as stored, read at the end.
    """
    found = [*_unsaid(lines, said), *_untranslated(said)]
    for place, message in enumerate(said, start=1):
        found += [f"Message {place} {fault}." for fault in _faults_of(message, seen[message.listener], rows)]
    found += _repeats(seen)
    found += _disorder(said, seen)
    found += _stored_disorder(said, rows)
    return found


def is_ready(message: Message) -> bool:
    """Whether the message may be displayed: translated, and not displayed yet."""
    return message.status is MessageStatus.PROCESSING and message.translation is not None


def _unsaid(lines: Sequence[Line], said: Sequence[Said]) -> list[str]:
    missing = len(lines) - len(said)
    return [f"{missing} of {len(lines)} lines were not said."] if missing else []


def _untranslated(said: Sequence[Said]) -> Iterable[str]:
    numbers = [str(message.line.number) for message in said if message.is_marked]
    if numbers:
        shown = ", ".join(numbers[:_SHOWN]) + (", ..." if len(numbers) > _SHOWN else "")
        yield (
            f"{len(numbers)} of {len(said)} messages could not be translated (lines of the input: {shown}): "
            "they were handed on as they are, marked with their language. Install apertium with the pair, or set "
            "OPENAI_API_KEY, to translate them."
        )


def _faults_of(said: Said, seen: Sequence[Message], rows: Sequence[Message]) -> Iterable[str]:
    arrivals = [message for message in seen if message.id == said.message_id and is_ready(message)]
    stored = [message for message in rows if message.id == said.message_id]
    if len(arrivals) != 1:
        yield f"reached the other side {len(arrivals)} times" if arrivals else "never reached the other side translated"
    if any((message.original, message.translation) != (said.line.text, said.translation) for message in arrivals):
        yield "reached the other side with another text than was said"
    if len(stored) != 1:
        yield f"is stored {len(stored)} times" if stored else "is not stored"
    for message in stored:
        if message.status is not MessageStatus.DISPLAYED:
            yield f"ended {message.status.value}, not displayed"
        if (message.original, message.translation) != (said.line.text, said.translation):
            yield "is stored with another text than was said"


def _repeats(seen: Sequence[Sequence[Message]]) -> Iterable[str]:
    for states in seen:
        for rev, times in Counter(message.rev for message in states).items():
            if times > 1:
                yield f"State {rev} of the conversation was delivered {times} times to one side."


def _disorder(said: Sequence[Said], seen: Sequence[Sequence[Message]]) -> Iterable[str]:
    for listener, states in enumerate(seen):
        arrived = list(dict.fromkeys(message.id for message in states if is_ready(message)))
        expected = [
            message.message_id for message in said if message.listener == listener and message.message_id in arrived
        ]
        if [message_id for message_id in arrived if message_id in expected] != expected:
            yield "Messages reached one side in another order than they were said in."


def _stored_disorder(said: Sequence[Said], rows: Sequence[Message]) -> Iterable[str]:
    spoken = [message.message_id for message in said]
    stored = [message.id for message in sorted(rows, key=lambda message: message.seq)]
    if [message_id for message_id in stored if message_id in spoken] != [each for each in spoken if each in stored]:
        yield "The order of the stored messages (seq) is not the order they were said in."
    strangers = len(set(stored) - set(spoken))
    if strangers:
        yield f"The session holds {strangers} messages that nobody said."
