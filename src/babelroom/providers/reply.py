"""Whether a model's reply is a translation, or an answer, a refusal or something else that was talked out of it."""

from __future__ import annotations

from babelroom.results import TranslationRequest


def fault(request: TranslationRequest, reply: str) -> str | None:
    """Return a sentence that says why the reply is no translation of the text, or None if nothing speaks against it."""
    if not reply.strip():
        return "The reply is empty."
    if is_running_on(request, reply):
        return "The reply is far too long for a translation."
    return None


def is_running_on(request: TranslationRequest, so_far: str) -> bool:
    """Whether a reply that is still coming is already far too long for a translation of the text."""
    return len(so_far) > 60 + 3 * len(request.text)
