r"""Apertium's stream format: what the pipeline may translate, and what must come out as it went in.

Text is taken as it is, special characters are escaped with a backslash, and `[...]` is carried through untouched. The
pipeline marks what it does not know: `*` before a word, `@` and `#` before one that it could not transfer or inflect.
See "Apertium stream format" in Apertium's documentation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

_KEPT = re.compile(
    r"""
    (?P<line_break>[^\S\r\n\v\f\x1c-\x1e\x85\u2028\u2029]*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*)
  | <[A-Za-z/!?][^<>]*>                     # a tag
  | \b(?:https?://|www\.)[^\s<>]+           # an address on the web
  | [\w.+-]+@[\w-]+(?:\.[\w-]+)+            # an address for mail
  | &\#?\w+;                                # an entity
  | \{\{?[^{}\s]*\}?\}                      # a placeholder
  | [^\S ]+ | [ ]{2,} | \A[ ]              # white space other than one blank between words
  | [\x00-\x1f\x7f-\x9f\u00ad*@\#~]+        # controls, and what the pipeline uses as marks
    """,
    re.VERBOSE,
)
_SPECIAL = re.compile(r"[\[\]{}^$/\\<>~]")
_IN_BLANK = re.compile(r"[\[\]\\]")
_SENTENCE_END = ".[]"
"""The full stop that Apertium's own deformatter adds, so that no sentence runs on into the next line."""

_TOKEN = re.compile(
    r"(?P<end>\.\[\])|\\(?P<escaped>.)|\[(?P<blank>(?:\\.|[^\]\\])*)\]|(?P<marked>[*@#](?:(?!\.\[\])[^\s\[\]\\])*)|(?P<plain>.)",
    re.DOTALL,
)
_NO_TERMS: Mapping[str, str] = MappingProxyType({})


def to_stream(text: str, terms: Mapping[str, str] = _NO_TERMS) -> str:
    """Return the text as the pipeline reads it, each term replaced by what it is to be in the end."""
    parts: list[str] = []
    end = 0
    for kept in _kept(tuple(terms)).finditer(text):
        parts.append(_SPECIAL.sub(r"\\\g<0>", text[end : kept.start()]))
        if kept["line_break"]:
            parts.append(_SENTENCE_END)
        parts.append("[" + _IN_BLANK.sub(r"\\\g<0>", terms.get(kept[0], kept[0])) + "]")
        end = kept.end()
    parts.append(_SPECIAL.sub(r"\\\g<0>", text[end:]))
    return "".join(parts) + _SENTENCE_END + "[\n]"


def from_stream(stream: str) -> tuple[str, bool]:
    """Return the text that the pipeline wrote, and whether it knew a word of it."""
    parts: list[str] = []
    known = False
    for token in _TOKEN.finditer(stream.removesuffix("\n").removesuffix("[\n]")):
        match token.lastgroup:
            case "plain" if token[0] == " " and (not parts or parts[-1] == " "):
                # Where the pipeline drops a word, it leaves the blanks around it.
                continue
            case "escaped" | "plain":
                parts.append(token[token.lastgroup])
                known = known or _is_latin(token[token.lastgroup])
            case "blank":
                parts.append(re.sub(r"\\(.)", r"\1", token["blank"], flags=re.DOTALL))
            case "marked":
                parts.append(token["marked"][1:])
                known = known or token["marked"][0] != "*"
    return "".join(parts), known


def holds_term(text: str, terms: Mapping[str, str]) -> bool:
    """Whether a term is a part of the text that the pipeline does not look at."""
    return any(kept[0] in terms for kept in _kept(tuple(terms)).finditer(text))


def _kept(terms: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = "|".join(map(re.escape, sorted(filter(None, terms), key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{longest_first})(?!\w) | {_KEPT.pattern}", re.VERBOSE) if longest_first else _KEPT


def _is_latin(character: str) -> bool:
    # Letters of other scripts pass the pipeline without a mark.
    return character.isalpha() and unicodedata.name(character, "").startswith("LATIN")
