"""Languages: a table of those that speech models know, open to any BCP 47 tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

DEFAULT_VOICE = "alloy"
"""Who speaks a language that the table does not have."""

# Tags and names of languages of the table, beside its own: BCP 47's older and narrower ones, and the aliases of
# TO_LANGUAGE_CODE in openai/whisper's tokenizer.py.
_ALIASES = {
    "cmn": "zh",
    "fil": "tl",
    "in": "id",
    "iw": "he",
    "jw": "jv",
    "nb": "no",
    "burmese": "my",
    "castilian": "es",
    "flemish": "nl",
    "haitian": "ht",
    "letzeburgesch": "lb",
    "mandarin": "zh",
    "moldavian": "ro",
    "moldovan": "ro",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "valencian": "ca",
}


@dataclass(frozen=True, slots=True)
class Language:
    """A language, and how models know it."""

    tag: str
    """BCP 47 tag."""
    name: str
    """In English; with the whole tag behind it where that says more than the table: "Portuguese (pt-BR)"."""
    native: str
    """In the language itself, as its speakers look for it."""
    whisper: str | None
    """What Whisper calls it; None: Whisper does not know it."""
    voice: str
    """One of the voices of OpenAI's speech models."""

    @property
    def title(self) -> str:
        """The name and the tag: "English (en)"."""
        return self.name if self.tag in self.name else f"{self.name} ({self.tag})"


def base_language(tag: str) -> str:
    """Return the language of a BCP 47 tag without its region or script: "pt" of "pt-BR"."""
    return tag.partition("-")[0].lower()


def find(tag: str) -> Language:
    """Return the language of any BCP 47 tag; one that the table does not have goes by its tag."""
    known = table()
    base = base_language(tag)
    found = known.get(tag.lower()) or known.get(base) or known.get(_ALIASES.get(base, ""))
    if found is None:
        return Language(tag, tag, tag, None, DEFAULT_VOICE)
    if found.tag == tag.lower():
        return found
    return replace(found, tag=tag, name=f"{found.name} ({tag})", native=f"{found.native} ({tag})")


def from_whisper(name: str) -> str | None:
    """Return the tag of the language that Whisper calls by this name or code, or None if it is none of the table."""
    name = name.strip().lower()
    return _tags().get(name) or _tags().get(base_language(name))


@cache
def table() -> Mapping[str, Language]:
    """Return the languages by their tags, English, Spanish and Portuguese first."""
    lines = resources.files("babelroom").joinpath("languages.tsv").read_text("utf-8").splitlines()
    return {row[0]: Language(*row) for row in (line.split("\t") for line in lines[1:])}


@cache
def _tags() -> Mapping[str, str]:
    names = {language.whisper: tag for tag, language in table().items() if language.whisper}
    return names | {tag: tag for tag in table()} | _ALIASES
