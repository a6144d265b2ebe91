"""Parser combinators that fail the way PostgREST's do.

PostgREST's query grammar is written in Parsec, and its clients see Parsec's error texts. So these combinators keep the
same three rules: a parser that has consumed input commits, `attempt` takes the commitment back, and errors at the
same place are merged.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from supalocal.rest.haskell import shown, shown_letter

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
U = TypeVar("U")

# Message kinds, in the order in which Parsec prints them.
FOUND, UNEXPECTED, EXPECTED = 0, 1, 2
_WORDS = ((UNEXPECTED, "unexpected"), (EXPECTED, "expecting"))

Failure = tuple[int, tuple[tuple[int, str], ...]] | None  # where, and what was found or expected there
Reply = tuple[bool, bool, Any, int, Failure]  # succeeded, consumed, value, next position, the furthest failure


class GrammarError(Exception):
    """The text does not follow the grammar; `message` says where, `details` what was expected."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Parser(Generic[T]):
    """A step of a grammar: reads `text` from `at` and replies."""

    __slots__ = ("run",)

    def __init__(self, run: Callable[[str, int], Reply]) -> None:
        self.run = run

    def __or__(self, other: Parser[U]) -> Parser[T | U]:
        return _either(self, other)

    def __rshift__(self, other: Parser[U]) -> Parser[U]:
        """Both, keeping the right value."""
        return sequence(self, other).map(lambda pair: cast("U", pair[1]))

    def __lshift__(self, other: Parser[Any]) -> Parser[T]:
        """Both, keeping the left value."""
        return sequence(self, other).map(lambda pair: cast("T", pair[0]))

    def map(self, function: Callable[[T], U]) -> Parser[U]:
        inner = self.run

        def run(text: str, at: int) -> Reply:
            succeeded, consumed, value, end, failure = inner(text, at)
            return succeeded, consumed, function(value) if succeeded else None, end, failure

        return Parser(run)

    def label(self, name: str) -> Parser[T]:
        """Name the parser, so that a failure without progress expects that name."""
        inner = self.run

        def run(text: str, at: int) -> Reply:
            succeeded, consumed, value, end, failure = inner(text, at)
            if not consumed and (failure is not None or not succeeded):
                failure = _renamed(failure or (at, ()), name)
            return succeeded, consumed, value, end, failure

        return Parser(run)

    def parse(self, text: str, what: str) -> T:
        """Read `text` from its start; raises GrammarError, whose message begins with `what`."""
        succeeded, _, value, _, failure = self.run(text, 0)
        if succeeded:
            return cast("T", value)
        raise _grammar_error(text, what, failure or (0, ()))


def _renamed(failure: tuple[int, tuple[tuple[int, str], ...]], name: str) -> Failure:
    where, messages = failure
    return where, ((EXPECTED, name), *(message for message in messages if message[0] != EXPECTED))


def _merged(left: Failure, right: Failure) -> Failure:
    if left is None or right is None:
        return left or right
    if left[0] == right[0]:
        return left[0], left[1] + right[1]
    return max(left, right, key=lambda failure: failure[0])


def _either(left: Parser[T], right: Parser[U]) -> Parser[T | U]:
    first, second = left.run, right.run

    def run(text: str, at: int) -> Reply:
        reply = first(text, at)
        if reply[0] or reply[1]:
            return reply
        succeeded, consumed, value, end, failure = second(text, at)
        return succeeded, consumed, value, end, failure if consumed else _merged(reply[4], failure)

    return Parser(run)


def sequence(*parsers: Parser[Any]) -> Parser[tuple[Any, ...]]:
    """All of them, one after the other."""
    runs = tuple(parser.run for parser in parsers)

    def run(text: str, at: int) -> Reply:
        values: list[Any] = []
        any_consumed, failure = False, None
        for step in runs:
            succeeded, consumed, value, at, new = step(text, at)
            failure = new if consumed else _merged(failure, new)
            any_consumed = any_consumed or consumed
            if not succeeded:
                return False, any_consumed, None, at, failure
            values.append(value)
        return True, any_consumed, tuple(values), at, failure

    return Parser(run)


def always(value: T) -> Parser[T]:
    return Parser(lambda _, at: (True, False, value, at, None))


def choice(*parsers: Parser[T]) -> Parser[T]:
    """The first of them that reads something or succeeds."""
    return reduce(_either, parsers)


def lazy(make: Callable[[], Parser[T]]) -> Parser[T]:
    """A parser that is only known later, for grammars that contain themselves."""
    return Parser(lambda text, at: make().run(text, at))


def attempt(parser: Parser[T]) -> Parser[T]:
    """Like `parser`, but a failure counts as if nothing had been consumed."""
    inner = parser.run

    def run(text: str, at: int) -> Reply:
        succeeded, consumed, value, end, failure = inner(text, at)
        return succeeded, consumed and succeeded, value, end, failure

    return Parser(run)


def look_ahead(parser: Parser[T]) -> Parser[T]:
    """Like `parser`, but what it reads stays unread."""
    inner = parser.run

    def run(text: str, at: int) -> Reply:
        reply = inner(text, at)
        return (True, False, reply[2], at, None) if reply[0] else reply

    return Parser(run)


def not_followed_by(unwanted: str, *expected: str) -> Parser[None]:
    """Nothing, as long as the next character does not match the class `unwanted`."""
    matches = re.compile(unwanted, re.DOTALL).match

    def run(text: str, at: int) -> Reply:
        if matches(text, at):
            return False, False, None, at, (at, ((UNEXPECTED, shown_letter(text[at])),))
        return True, False, None, at, (at, (_found(text, at), *((EXPECTED, name) for name in expected)))

    return Parser(run)


def refuse(parser: Parser[T], unwanted: T) -> Parser[T]:
    """Like `parser`, but `unwanted` is no answer."""
    inner = parser.run

    def run(text: str, at: int) -> Reply:
        reply = inner(text, at)
        return (False, reply[1], None, reply[3], None) if reply[0] and reply[2] == unwanted else reply

    return Parser(run)


def option(default: U, parser: Parser[T]) -> Parser[T | U]:
    return parser | always(default)


def optional(parser: Parser[T]) -> Parser[T | None]:
    return option(None, parser)


def many(parser: Parser[T]) -> Parser[list[T]]:
    inner = parser.run

    def run(text: str, at: int) -> Reply:
        values: list[Any] = []
        while True:
            succeeded, consumed, value, end, failure = inner(text, at)
            if not succeeded:
                return not consumed, bool(values) or consumed, values, at if not consumed else end, failure
            values.append(value)
            at = end

    return Parser(run)


def separated(parser: Parser[T], separator: Parser[Any]) -> Parser[list[T]]:
    """One or more, with `separator` between them."""
    return sequence(parser, many(separator >> parser)).map(lambda pair: [pair[0], *pair[1]])


def between(opening: Parser[Any], closing: Parser[Any], parser: Parser[T]) -> Parser[T]:
    return opening >> parser << closing


def _found(text: str, at: int) -> tuple[int, str]:
    return FOUND, shown(text[at]) if at < len(text) else ""


def characters(pattern: str, *expected: str, least: int = 1) -> Parser[str]:
    """The longest run of at least `least` characters that match the class `pattern`."""
    find = re.compile(f"(?:{pattern})*", re.DOTALL).match

    def run(text: str, at: int) -> Reply:
        match = find(text, at)
        end = match.end() if match else at
        failure = (end, (_found(text, end), *((EXPECTED, name) for name in expected)))
        return end - at >= least, end > at, text[at:end], end, failure

    return Parser(run)


def character(pattern: str, *expected: str) -> Parser[str]:
    """One character that matches the class `pattern`."""
    matches = re.compile(pattern, re.DOTALL).match

    def run(text: str, at: int) -> Reply:
        if matches(text, at):
            return True, True, text[at], at + 1, None
        return False, False, None, at, (at, (_found(text, at), *((EXPECTED, name) for name in expected)))

    return Parser(run)


def char(wanted: str) -> Parser[str]:
    return character(re.escape(wanted), shown(wanted))


def string(wanted: str, value: T | None = None) -> Parser[Any]:
    """The text `wanted`; the answer is `value`, or the text itself."""
    answer = wanted if value is None else value

    def run(text: str, at: int) -> Reply:
        if text.startswith(wanted, at):
            return True, True, answer, at + len(wanted), None
        same = next((n for n, c in enumerate(wanted) if text[at + n : at + n + 1] != c), len(wanted))
        failure = (at, (_found(text, at + same), (EXPECTED, shown(wanted))))
        return False, same > 0, None, at, failure

    return Parser(run)


def _rest(text: str, at: int) -> Reply:
    return True, at < len(text), text[at:], len(text), None


def _end(text: str, at: int) -> Reply:
    if at >= len(text):
        return True, False, None, at, (at, ((FOUND, ""), (EXPECTED, "end of input")))
    return False, False, None, at, (at, ((UNEXPECTED, shown_letter(text[at])), (EXPECTED, "end of input")))


rest: Parser[str] = Parser(_rest)
end_of_input: Parser[None] = Parser(_end)


def _grammar_error(text: str, what: str, failure: tuple[int, tuple[tuple[int, str], ...]]) -> GrammarError:
    where, messages = failure
    before = text[:where].split("\n")
    column = 1
    for letter in before[-1]:
        column += 8 - (column - 1) % 8 if letter == "\t" else 1
    return GrammarError(f'"{what}" (line {len(before)}, column {column})', _explanation(messages))


def _explanation(messages: tuple[tuple[int, str], ...]) -> str:
    kinds = {kind: [text for found, text in messages if found == kind] for kind in (FOUND, UNEXPECTED, EXPECTED)}
    parts = []
    if kinds[FOUND] and not kinds[UNEXPECTED]:
        parts.append(f"unexpected {kinds[FOUND][0] or 'end of input'}")
    parts += [f"{word} {_listed(kinds[kind])}" for kind, word in _WORDS if kinds[kind]]
    return " ".join(parts) or "unknown parse error"


def _listed(names: list[str]) -> str:
    unique = list(dict.fromkeys(name for name in names if name))
    return " or ".join(filter(None, [", ".join(unique[:-1]), unique[-1]]))
