"""Text as a literal of Haskell: in that form PostgREST's parsers repeat what they cannot read."""

from __future__ import annotations

import re

_CONTROLS = re.findall(
    r"\w+",
    "NUL SOH STX ETX EOT ENQ ACK a b t n v f r SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US",
)
_DELETE = 127


def shown(text: str) -> str:
    """A string, in double quotes."""
    parts = [_parted(before, letter) + _escaped(letter, '"') for before, letter in zip(f" {text}", text, strict=False)]
    return f'"{"".join(parts)}"'


def shown_letter(letter: str) -> str:
    """A single character, in single quotes."""
    return "'" + _escaped(letter, "'") + "'"


def _parted(before: str, letter: str) -> str:
    """What ends the escape of the letter before where this one would lengthen it."""
    is_number = ord(before) > _DELETE and letter in "0123456789"
    return "\\&" if is_number or before + letter == "\x0eH" else ""


def _escaped(letter: str, quote: str) -> str:
    code = ord(letter)
    if letter in {quote, "\\"}:
        return f"\\{letter}"
    if code < len(_CONTROLS):
        return f"\\{_CONTROLS[code]}"
    if code < _DELETE:
        return letter
    return "\\DEL" if code == _DELETE else f"\\{code}"
