"""A text that grows while it is made, told part by part, even when it is begun anew."""

from __future__ import annotations

from babelroom.providers import OnDelta


class Growth:
    """What was told stays told: the parts, joined, begin the text of one of the attempts at it."""

    def __init__(self, on_delta: OnDelta) -> None:
        self._on_delta = on_delta
        self._told = ""

    def grow(self, text: str) -> None:
        """Take an attempt's text as far as it has come, and tell what is new in it.

        White space around it is not told. A text that says something else than what was told stays untold.
        """
        text = text.strip()
        if len(text) > len(self._told) and text.startswith(self._told):
            delta = text[len(self._told) :]
            self._told = text
            self._on_delta(delta)
