"""Languages: a table of those that speech models know, open to any BCP 47 tag."""

from __future__ import annotations


def base_language(tag: str) -> str:
    """Return the language of a BCP 47 tag without its region or script: "pt" of "pt-BR"."""
    return tag.partition("-")[0].lower()
