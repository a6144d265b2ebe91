"""The play: two speakers who share nothing but the session's code go through a conversation, turn by turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from babelroom.client import Babelroom
from babelroom.demo.conversation import Conversation, Line
from babelroom.demo.screen import Screen
from babelroom.demo.speaker import Interpreted, Sent, Speaker
from babelroom.demo.times import Times
from babelroom.demo.verdict import Said, faults
from babelroom.errors import BabelroomError

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
    times: list[Times] = field(default_factory=list)
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
    sent = await speaker.send(line, typing=pace.typing)
    message_id = sent.message.id
    outcome.said.append(Said(line, 1 - side, message_id))
    interpreted = await speaker.interpret(sent)
    translation = interpreted.translation
    outcome.said[-1] = Said(line, 1 - side, message_id, translation.text, is_marked=not translation.is_translated)
    try:
        async with asyncio.timeout(pace.patience):
            await speaker.sees_displayed(message_id)
            await listener.sees_displayed(message_id)
    except TimeoutError:
        raise TimeoutError(f"Its message was not displayed within {pace.patience:g} seconds.") from None
    finally:
        if message_id in listener.ready_at:
            outcome.times.append(_times(sent, interpreted, listener.ready_at[message_id]))


def _times(sent: Sent, interpreted: Interpreted, ready_at: float) -> Times:
    return Times(
        send=(sent.queued - sent.started) * 1_000,
        translate=interpreted.translate_ms,
        deliver=(ready_at - interpreted.storing) * 1_000,
        end_to_end=(ready_at - sent.started) * 1_000,
    )


async def _judge(conversation: Conversation, speakers: Speakers, outcome: Outcome) -> None:
    outcome.faults += dict.fromkeys(trouble for speaker in speakers for trouble in speaker.troubles)
    try:
        rows = await speakers[1].stored_messages()
    except BabelroomError as error:
        outcome.faults.append(f"The messages could not be read back. {error}")
        return
    seen = [speaker.seen for speaker in speakers]
    outcome.faults += faults(conversation.lines, outcome.said, seen, rows)
