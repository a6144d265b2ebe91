"""What was really said: a speech model makes words of silence, which nobody said.

Whisper learned from the subtitles of videos, and hears their credits and farewells where nobody speaks. The phrases are
those that its users collect, as in discussions 679 and 928 of openai/whisper.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from babelroom.providers.checks.wording import rows, words
from babelroom.results import Segment

NO_SPEECH = 0.6
"""Whisper's no_speech_threshold: above it nobody spoke, if its words are unsure too. See transcribe.py."""

UNSURE = -1.0
"""Whisper's logprob_threshold: below it the words are unsure."""

_DOUBTFUL = 0.5
"""How probably nobody spoke, where it says what a silence sounds like."""

_ANNOTATION = re.compile(r"\s*(\[[^\[\]]*\]|\([^()]*\)|\*[^*]*\*|【[^【】]*】|（[^（）]*）)[\s.,]*")  # noqa: RUF001  full width
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*")  # noqa: RUF001  as above


def heard(text: str, segments: Sequence[Segment]) -> str:
    """Return the text without what was made of silence, the same text if nothing was; empty if nobody spoke.

    A text without segments is judged as one without numbers: only what nobody says in a conversation goes.
    """
    if not segments:
        return text if _is_said(Segment(start=0, end=0, text=text)) else ""
    kept = [segment.text for segment in segments if _is_said(segment)]
    if len(kept) < len(segments):
        # Whisper's segments begin with the blank before them; other engines leave it out.
        is_whole = "".join(segment.text for segment in segments).split() == text.split()
        text = ("" if is_whole else " ").join(kept).strip()
    return text if words(text) else ""


def _is_said(segment: Segment) -> bool:
    probability, sureness = segment.no_speech_prob or 0, segment.avg_logprob or 0
    if probability > NO_SPEECH and sureness < UNSURE:
        return False
    is_doubtful = probability > _DOUBTFUL or sureness < UNSURE
    return bool(words(segment.text)) and not _is_ghost(segment.text, with_quiet=is_doubtful)


def _is_ghost(text: str, *, with_quiet: bool) -> bool:
    """Whether the text is nothing but ghosts; the quiet ones are what people say too."""
    if _ANNOTATION.fullmatch(text):
        return True
    sentences = [sentence for sentence in map(words, _SENTENCE_END.split(text)) if sentence]
    return all(_is_phrase(sentence, with_quiet=with_quiet) for sentence in sentences) or _is_phrase(
        words(text), with_quiet=with_quiet
    )


def _is_phrase(said: Sequence[str], *, with_quiet: bool) -> bool:
    if {"amara", "org"} <= set(said):
        return True
    phrases = _phrases()
    known = " ".join(said)
    whole = phrases["always"] | (phrases["quiet"] if with_quiet else set())
    return known in whole or known.startswith(tuple(phrases["beginnings"]))


@cache
def _phrases() -> Mapping[str, set[str]]:
    """The table's phrases by how certain they are, and the beginnings of those that go on."""
    phrases: dict[str, set[str]] = {"always": set(), "quiet": set(), "beginnings": set()}
    for certainty, phrase in rows("ghosts.tsv"):
        kind = "beginnings" if phrase.endswith("*") else certainty
        phrases[kind].add(" ".join(words(phrase)))
    return phrases
