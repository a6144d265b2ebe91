"""What can go wrong with a provider's attempt: passing or not, due to the text or not. It never leaves this room."""

from __future__ import annotations

from babelroom.errors import BabelroomError


class Trouble(BabelroomError):
    """The attempt failed."""

    def __init__(
        self, message: str, *, passes: bool = False, is_general: bool = False, pause: float | None = None
    ) -> None:
        super().__init__(message)
        self.passes = passes
        """The same request may succeed if it is simply sent again."""
        self.is_general = is_general
        """It would meet any other text too."""
        self.pause = pause
        """Seconds that the server asks to be left alone."""
