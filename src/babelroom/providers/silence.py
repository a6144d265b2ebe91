"""What was really said: a speech model makes words of silence, which nobody said."""

from __future__ import annotations

from collections.abc import Sequence

from babelroom.results import Segment


def heard(text: str, segments: Sequence[Segment]) -> str:
    """Return the text without what was made of silence; empty if nothing was said."""
    kept = [segment for segment in segments if not _is_silence(segment)]
    said = text if len(kept) == len(segments) else "".join(segment.text for segment in kept).strip()
    return said if any(character.isalnum() for character in said) else ""


def _is_silence(segment: Segment) -> bool:
    return (segment.no_speech_prob or 0) > 0.6 and (segment.avg_logprob or 0) < -1  # noqa: PLR2004
