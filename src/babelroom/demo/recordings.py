"""A folder of recordings as a conversation: one file a turn, whose name tells its place and its language."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from babelroom.demo.conversation import BadConversation, Conversation, Languages, Line, between_two

_SOUND = {".webm", ".ogg", ".oga", ".opus", ".mp4", ".m4a", ".mp3", ".mpga", ".wav", ".flac"}
_LANGUAGE = r"(?P<language>[a-z]{2,3}(-[A-Z]{2})?)"
# Such as 01-en.wav or 2_es_answer.mp3, and en-01.wav; the rest of a name is the owner's.
_NAMES = (
    re.compile(rf"(?P<place>\d+)[-_. ]+{_LANGUAGE}(?![A-Za-z])"),
    re.compile(rf"{_LANGUAGE}[-_. ]*(?P<place>\d+)(?!\d)"),
)


def read_folder(folder: str, languages: Languages | None) -> Conversation:
    """Return the conversation of a folder's sound files, in the order of their numbers; other files are left alone.

    Raises:
        BadConversation: there is no such folder or no recording in it, a name does not tell place and language, two
            have the same place, or they are not of two languages.
    """
    try:
        files = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in _SOUND)
    except OSError as error:
        raise BadConversation(f"The folder {folder} cannot be read: {error.strerror or error}.") from error
    if not files:
        raise BadConversation(f"The folder {folder} holds no recording: name them such as 01-en.wav and 02-es.webm.")
    lines = sorted((_line(path) for path in files), key=lambda line: line.number)
    for one, other in pairwise(lines):
        if one.number == other.number:
            raise BadConversation(f"{_name(one)} and {_name(other)} have the same place: number every turn once.")
    return between_two(lines, languages)


def _line(path: Path) -> Line:
    found = next((match for name in _NAMES if (match := name.match(path.stem))), None)
    if found is None:
        raise BadConversation(
            f"The name of {path.name} does not tell its place and its language: call it such as 01-en{path.suffix}."
        )
    return Line(int(found["place"]), found["language"], "", path)


def _name(line: Line) -> str:
    return line.recording.name if line.recording else str(line.number)
