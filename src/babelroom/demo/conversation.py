"""A conversation to play: who says what in which language, as text or as a recording."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from babelroom import inputs
from babelroom.errors import InvalidInput
from babelroom.providers.phrasebook import Phrasebook

Languages = tuple[str, str]


class BadConversation(ValueError):
    """The conversation cannot be played; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    """The line in the input, from 1."""
    language: str
    text: str
    """Empty for a recording, until it is transcribed."""
    recording: Path | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    languages: Languages
    """Whoever speaks the first one makes the session; the other joins it."""
    lines: tuple[Line, ...]


def read(source: str | None, languages: Languages | None) -> Conversation:
    """Return the conversation of a file, of standard input ("-") or, without a source, the bundled one.

    Raises:
        BadConversation: the input cannot be read, or is no conversation of two languages.
    """
    if source is None:
        return bundled(languages)
    try:
        raw = _standard_input() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise BadConversation(f"The input {source} cannot be read: {error.strerror or error}.") from error
    return parse(decode(raw), languages)


def _standard_input() -> bytes:
    if sys.stdin is None:  # a shell's `<&-`
        raise BadConversation("Standard input is closed: give a file, or lines of a conversation.")
    return sys.stdin.buffer.read()


def bundled(languages: Languages | None) -> Conversation:
    """Return the bundled conversation, in other languages of the phrasebook if asked for."""
    conversation = parse(resources.files("babelroom.demo").joinpath("conversation.tsv").read_text("utf-8"))
    if languages is None:
        return conversation
    phrasebook = Phrasebook()
    lines = [
        _retold(line, languages[conversation.languages.index(line.language)], phrasebook) for line in conversation.lines
    ]
    return Conversation(languages, tuple(lines))


def _retold(line: Line, language: str, phrasebook: Phrasebook) -> Line:
    if language == line.language:
        return line
    text = phrasebook.find(line.text, line.language, language)
    if text is None:
        known = ", ".join(sorted(phrasebook.languages))
        raise BadConversation(
            f"The bundled conversation is there in {known}, not in {language}: bring your own with --input FILE."
        )
    return Line(line.number, language, text)


def decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadConversation(f"Line {line} is not UTF-8: convert the input first.") from error


def parse(text: str, languages: Languages | None = None) -> Conversation:
    r"""Return the conversation of lines `language<TAB>text`; blank lines and those that begin with # are skipped.

    Raises:
        BadConversation: a line is malformed, there is none, or they are not of two languages.
    """
    # Not str.splitlines(): a text may hold the separators that it also splits at.
    numbered = enumerate(text.replace("\r\n", "\n").split("\n"), start=1)
    lines = [_line(number, line) for number, line in numbered if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise BadConversation("The input holds no line of a conversation: write language<TAB>text, one line a turn.")
    return between_two(lines, languages)


def parse_languages(text: str) -> Languages:
    """Return the two languages of "en,pt".

    Raises:
        BadConversation: they are not two different languages.
    """
    try:
        tags = [inputs.language(tag.strip()) for tag in text.split(",")]
    except InvalidInput as error:
        raise BadConversation(str(error)) from error
    if len(tags) != 2 or tags[0].lower() == tags[1].lower():  # noqa: PLR2004  two people talk
        raise BadConversation(f"A conversation has two different languages, such as en,es. Got {text}.")
    return tags[0], tags[1]


def _line(number: int, line: str) -> Line:
    language, tab, text = line.partition("\t")
    if not tab:
        raise BadConversation(f"Line {number} has no tab: write language<TAB>text. Got {line!r:.60}.")
    try:
        return Line(number, inputs.language(language.strip()), inputs.text(text))
    except InvalidInput as error:
        raise BadConversation(f"Line {number}: {error}") from error


def between_two(lines: Sequence[Line], languages: Languages | None) -> Conversation:
    """Return the conversation of these lines.

    Raises:
        BadConversation: they are not of two languages.
    """
    # Tags are the same in any case; the first spelling stands.
    spelling = {tag.lower(): tag for tag in languages or ()}
    for line in lines:
        if line.language.lower() not in spelling:
            if len(spelling) == 2:  # noqa: PLR2004  two people talk
                raise BadConversation(
                    f"Line {line.number} is in {line.language}, but this is a conversation between "
                    f"{' and '.join(spelling.values())}: two people, two languages."
                )
            spelling[line.language.lower()] = line.language
    if len(spelling) == 1:
        only = lines[0].language
        raise BadConversation(
            f"Every line is in {only}: say which language the other person speaks, such as --langs {only},"
            f"{'es' if only.lower() != 'es' else 'en'}."
        )
    first, second = spelling.values()
    return Conversation(
        (first, second), tuple(replace(line, language=spelling[line.language.lower()]) for line in lines)
    )
