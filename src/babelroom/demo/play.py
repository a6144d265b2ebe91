"""The play: two speakers who share nothing but the session's code go through a conversation, turn by turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from babelroom.client import Babelroom
from babelroom.demo.conversation import Conversation, Line
from babelroom.demo.screen import Screen
from babelroom.demo.speaker import Speaker
from babelroom.demo.verdict import Said, faults
from babelroom.errors import BabelroomError, NothingSaid, TranscriptionFailed, TranslationFailed
from babelroom.results import Hop

Speakers = tuple[Speaker, Speaker]


@dataclass(frozen=True, slots=True)
class Pace:
    typing: float = 0.0
    """Seconds that a speaker types before a line is sent."""
    patience: float = 15.0
    """Seconds that a message may take to be displayed on the other side."""


@dataclass(slots=True)
class Outcome:
    """What came of a conversation."""

    said: list[Said] = field(default_factory=list)
    hops: Mapping[str, Hop] = field(default_factory=dict)
    """How long the messages took, by the parts of their way."""
    faults: list[str] = field(default_factory=list)
    """One sentence for each thing that went wrong; empty if every word arrived."""


async def play(conversation: Conversation, connect: Callable[[], Babelroom], screen: Screen, pace: Pace) -> Outcome:
    """Play the conversation and return what came of it.

    Raises:
        BabelroomError: the session could not even be opened and joined by both.
    """
    async with connect() as first, connect() as second:
        speakers = (
            Speaker(0, conversation.languages[0], first, screen),
            Speaker(1, conversation.languages[1], second, screen),
        )
        await _gather_in_session(speakers, screen)
        outcome = Outcome()
        try:
            for line in conversation.lines:
                await _turn(line, speakers, outcome, pace)
        except (BabelroomError, TimeoutError) as error:
            outcome.faults.append(f"The conversation broke off at line {line.number} of the input. {error}")
        finally:
            for speaker in speakers:
                await speaker.leave()
        await _judge(conversation, speakers, outcome)
        return outcome


async def _gather_in_session(speakers: Speakers, screen: Screen) -> None:
    code = await speakers[0].open_session()
    screen.note(f"The session's code is {code}.")
    for speaker in speakers:
        await speaker.join(code)
    for speaker in speakers:
        await speaker.meet()


async def _turn(line: Line, speakers: Speakers, outcome: Outcome, pace: Pace) -> None:
    side = 0 if line.language == speakers[0].language else 1
    speaker, listener = speakers[side], speakers[1 - side]
    said = Said(line, 1 - side, uuid4())
    try:
        what = await speaker.say(line, said.message_id, typing=pace.typing)
    except (NothingSaid, TranscriptionFailed) as error:
        outcome.faults.append(f"Line {line.number} of the input could not be understood. {error}")
        return
    except TranslationFailed as error:
        outcome.said.append(said)
        outcome.faults.append(str(error))
        return
    outcome.said.append(
        replace(
            said,
            line=replace(line, text=what.message.original),
            translation=what.translation.text,
            is_marked=not what.translation.is_translated,
        )
    )
    try:
        async with asyncio.timeout(pace.patience):
            await speaker.sees_displayed(said.message_id)
            await listener.sees_displayed(said.message_id)
    except TimeoutError:
        raise TimeoutError(f"Its message was not displayed within {pace.patience:g} seconds.") from None


async def _judge(conversation: Conversation, speakers: Speakers, outcome: Outcome) -> None:
    outcome.faults += dict.fromkeys(trouble for speaker in speakers for trouble in speaker.troubles)
    try:
        rows = await speakers[1].stored_messages()
        outcome.hops = (await speakers[1].stats()).hops
    except BabelroomError as error:
        outcome.faults.append(f"The messages could not be read back. {error}")
        return
    seen = [speaker.seen for speaker in speakers]
    outcome.faults += faults(conversation.lines, outcome.said, seen, rows)
