"""Splits an SQL script into its statements where the Supabase CLI does.

Strings, quoted names, comments and bodies are kept whole; parentheses, unlike by psql, up to the first that closes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* )
    | (?P<block>   /\* )
    | (?P<string>  [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' )
    | (?P<quoted>  "(?:[^"]|"")*" )
    | (?P<dollar>  \$(?P<tag>(?:[^\W\d]\w*)?)\$ )
    | (?P<word>    [^\W\d][\w$]* )
    | (?P<number>  \d[\w$.]* )
    | (?P<blank>   \s+ )
    | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)+", re.DOTALL)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon; comments before and in it are part of `text`.

    `line` is where `text` begins in the script, from 1. `comments` is how many of its characters come before the first
    word; all of them where a script ends in comments, which the Supabase CLI records as a statement too.
    """

    text: str
    line: int
    comments: int

    @property
    def words(self) -> str:
        """The statement in lower case, without comments and with single spaces; good enough to tell its kind."""
        return _BLANK.sub(" ", self.text).strip().lower()

    def line_at(self, position: int | None) -> int:
        """The script's line at a character position in `text` counted from 1, as Postgres reports it."""
        return self.line + self.text.count("\n", 0, self.comments if position is None else position - 1)


def split(script: str) -> list[Statement]:
    """List the statements of the script in their order; empty ones are left out."""
    statements = []
    begin, nesting = 0, _Nesting()
    for kind, start, end in _tokens(script):
        if kind == "other" and script[start] == ";" and nesting.is_closed:
            statements += _statement(script, begin, start, nesting)
            begin, nesting = end, _Nesting()
        else:
            nesting.take(kind, script[start:end], start)
    return statements + _statement(script, begin, len(script), nesting)


def _statement(script: str, begin: int, end: int, nesting: _Nesting) -> list[Statement]:
    raw = script[begin:end]
    text = raw.strip()
    start = begin + len(raw) - len(raw.lstrip())
    comments = len(text) if nesting.first is None else nesting.first - start
    return [Statement(text, script.count("\n", 0, start) + 1, comments)] if text else []


def _tokens(script: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of each token; what is left open reaches to the end of the script."""
    position = 0
    while match := _TOKEN.match(script, position):
        kind, end = match.lastgroup or "other", match.end()
        if match["block"] is not None:
            kind, end = "comment", _block_end(script, end)
        elif match["dollar"] is not None:
            kind, close = "string", script.find(match["dollar"], end)
            end = len(script) if close < 0 else close + len(match["dollar"])
        elif kind == "other" and match[0] in "'\"":
            kind, end = "string", len(script)
        yield kind, position, end
        position = end


def _block_end(script: str, position: int) -> int:
    """Comments in /* */ nest."""
    depth = 1
    for edge in _BLOCK_EDGE.finditer(script, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(script)


class _Nesting:
    """Whether a semicolon ends the statement: not in parentheses, nor in a function's `begin atomic ... end`."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.first: int | None = None
        self._in_parentheses = False
        self._blocks = 0

    @property
    def is_closed(self) -> bool:
        return not self._in_parentheses and self._blocks == 0

    def take(self, kind: str, text: str, start: int) -> None:
        if kind in {"comment", "blank"}:
            return
        if self.first is None:
            self.first = start
        if text in {"(", ")"}:
            self._in_parentheses = text == "("  # the CLI does not count them
        elif kind == "word":
            self._take_word(text.lower())

    def _take_word(self, word: str) -> None:
        if len(self.words) < _FIRST_WORDS:
            self.words.append(word)
        if not self._makes_routine() or self._in_parentheses:
            return
        if word == "begin" or (word == "case" and self._blocks):
            self._blocks += 1
        elif word == "end" and self._blocks:
            self._blocks -= 1

    def _makes_routine(self) -> bool:
        match self.words:
            case ["create", "function" | "procedure", *_] | ["create", "or", "replace", "function" | "procedure", *_]:
                return True
        return False


_FIRST_WORDS = 4
