"""Both sides next to each other on a terminal, live. Importing this module imports rich."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from uuid import UUID

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from babelroom.demo.conversation import Languages
from babelroom.demo.screen import doing, printable
from babelroom.models import ActivityType, Message, MessageStatus
from babelroom.results import HOPS, Hop, Partial

_KEPT = 20
"""Messages that a pane draws; the older ones have scrolled away on any terminal."""
_LONGEST = 400
_COLOURS = {
    MessageStatus.QUEUED: "yellow",
    MessageStatus.PROCESSING: "cyan",
    MessageStatus.DISPLAYED: "green",
    MessageStatus.FAILED: "red",
}


class Panes:
    """The screen of a terminal: what each of the two people sees."""

    def __init__(self, console: Console, languages: Languages) -> None:
        self._console = console
        height = max(6, min(28, console.height - 4))
        self._panes = (_Pane(languages[0], height), _Pane(languages[1], height))

    def live(self) -> AbstractContextManager[object]:
        return Live(console=self._console, get_renderable=self._draw, refresh_per_second=12)

    def note(self, sentence: str) -> None:
        self._console.print(Text(printable(sentence), style="dim"))

    def show_partner(self, side: int, language: str) -> None:
        self._panes[side].partner = language

    def show_activity(self, side: int, activity: ActivityType) -> None:
        self._panes[side].activity = activity

    def show_message(self, side: int, message: Message, *, is_own: bool) -> None:
        self._panes[side].show(message, is_own=is_own)

    def show_partial(self, side: int, partial: Partial) -> None:
        self._panes[side].grow(partial)

    def show_times(self, hops: Mapping[str, Hop]) -> None:
        table = Table("", "p50", "p95", "max", title="Milliseconds")
        for column in table.columns[1:]:
            column.justify = "right"
        for name in HOPS:
            if hop := hops.get(name):
                table.add_row(name, f"{hop.p50:.1f}", f"{hop.p95:.1f}", f"{hop.max:.1f}")
        self._console.print(table)

    def _draw(self) -> RenderableType:
        grid = Table.grid(expand=True)
        for _ in self._panes:
            grid.add_column(ratio=1)
        grid.add_row(*(pane.draw() for pane in self._panes))
        return grid


class _Pane:
    def __init__(self, language: str, height: int) -> None:
        self.partner: str | None = None
        self.activity = ActivityType.IDLE
        self._language = language
        self._height = height
        self._messages: dict[UUID, tuple[Message, bool]] = {}
        self._partials: dict[UUID, str] = {}

    def show(self, message: Message, *, is_own: bool) -> None:
        if message.id not in self._messages or self._messages[message.id][0].rev < message.rev:
            self._messages[message.id] = (message, is_own)

    def grow(self, partial: Partial) -> None:
        self._partials[partial.message_id] = partial.text

    def draw(self) -> RenderableType:
        shown = sorted(self._messages.values(), key=lambda entry: entry[0].seq)[-_KEPT:]
        texts = [_entry(message, self._partials.get(message.id), is_own=is_own) for message, is_own in shown]
        busy = self.partner and self.activity is not ActivityType.IDLE
        below = f"{self.partner} is {doing(self.activity)} ..." if busy else ""
        return Panel(
            _Tail(Group(*texts), self._height - 2),
            title=f"{self._language} talks to {self.partner}" if self.partner else self._language,
            subtitle=Text(below, style="magenta"),
            height=self._height,
        )


class _Tail:
    """The last lines of what is drawn."""

    def __init__(self, drawn: RenderableType, height: int) -> None:
        self._drawn = drawn
        self._height = height

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self._drawn, options.update(height=None))[-self._height :]:
            yield from line
            yield Segment.line()


def _entry(message: Message, partial: str | None, *, is_own: bool) -> Text:
    translation = message.translation or (partial and f"{partial} ...")
    main, under = message.original, translation or "..."
    if not is_own and translation is not None:
        main, under = translation, message.original
    entry = Text()
    entry.append("You:  " if is_own else f"{message.original_lang}: ".ljust(6), style="bold")
    entry.append(_shortened(main), style="" if is_own else "bold")
    entry.append(f"\n      {_shortened(under)} ", style="dim italic")
    entry.append(message.status.value, style=_COLOURS[message.status])
    return entry


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return printable(text)
    return f"{printable(text[:_LONGEST])}... ({len(text):,} characters)"
