"""What a watcher sees: plain lines here; panes.py draws both sides on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol
from uuid import UUID

from babelroom.demo.conversation import Languages
from babelroom.demo.verdict import is_ready
from babelroom.models import ActivityType, Message, MessageStatus
from babelroom.results import HOPS, Hop, Partial


class Screen(Protocol):
    """Both sides of a conversation, as each of them sees it. A side is 0 or 1."""

    def live(self) -> AbstractContextManager[object]:
        """Show the conversation while the block runs."""
        ...

    def note(self, sentence: str) -> None: ...

    def show_partner(self, side: int, language: str) -> None:
        """Say which language the other person speaks, as this side learnt it."""
        ...

    def show_activity(self, side: int, activity: ActivityType) -> None:
        """Show what the other person is doing."""
        ...

    def show_message(self, side: int, message: Message, *, is_own: bool) -> None:
        """Show a state of a message; one may come twice, from the answer to sending it and live."""
        ...

    def show_partial(self, side: int, partial: Partial) -> None:
        """Show how far the translation of the other side's message has come."""
        ...

    def show_times(self, hops: Mapping[str, Hop]) -> None: ...


class PlainScreen:
    """One line for each thing that happens."""

    def __init__(self, write: Callable[[str], object], languages: Languages) -> None:
        self._write = write
        self._languages = languages
        self._width = max(map(len, languages))
        self._places: dict[UUID, int] = {}
        self._activity: dict[int, ActivityType] = {}
        self._shown: set[tuple[int, UUID, int]] = set()

    def live(self) -> AbstractContextManager[object]:
        return nullcontext()

    def note(self, sentence: str) -> None:
        self._write(f"{printable(sentence)}\n")

    def show_partner(self, side: int, language: str) -> None:
        self._say(side, f"has joined; the other person speaks {language}")

    def show_activity(self, side: int, activity: ActivityType) -> None:
        if activity is not self._activity.get(side, ActivityType.IDLE) and activity is not ActivityType.IDLE:
            self._say(side, f"sees that {self._languages[1 - side]} is {doing(activity)}")
        self._activity[side] = activity

    def show_message(self, side: int, message: Message, *, is_own: bool) -> None:
        if (side, message.id, message.rev) in self._shown:
            return
        self._shown.add((side, message.id, message.rev))
        place = self._places.setdefault(message.id, len(self._places) + 1)
        if is_own and message.status is MessageStatus.QUEUED:
            self._say(side, f"#{place} says:  {message.original} ({message.status.value})")
        elif is_own and message.status is MessageStatus.DISPLAYED:
            self._say(side, f"#{place} has been displayed")
        elif not is_own and is_ready(message):
            self._say(side, f"#{place} reads: {message.translation}")

    def show_partial(self, side: int, partial: Partial) -> None:
        place = self._places.setdefault(partial.message_id, len(self._places) + 1)
        self._say(side, f"#{place} grows: {partial.text}")

    def show_times(self, hops: Mapping[str, Hop]) -> None:
        self._write(f"{'ms':<12}{'p50':>9}{'p95':>9}{'max':>9}\n")
        for name in HOPS:
            if hop := hops.get(name):
                self._write(f"{name:<12}{hop.p50:>9.1f}{hop.p95:>9.1f}{hop.max:>9.1f}\n")

    def _say(self, side: int, what: str) -> None:
        self._write(f"{self._languages[side]:<{self._width}} | {printable(what)}\n")


def doing(activity: ActivityType) -> str:
    """Return what somebody is doing, in words."""
    return "translating" if activity is ActivityType.PROCESSING else activity.value


def printable(text: str) -> str:
    """Return the text without what a terminal would obey: control characters become their pictures."""
    return text.translate(_PICTURES)


_PICTURES = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    ord("\t"): "    ",
    ord("\n"): " \N{RETURN SYMBOL} ",
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}"),
}
