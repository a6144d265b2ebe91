"""Everything that can go wrong, as types.

    BabelroomError
    ├── ConfigurationError            a setting is missing or malformed
    │   └── MissingCredentials        no Supabase URL or key was given
    ├── InvalidInput                  refused before anything was sent (also a ValueError)
    │   ├── InvalidCode
    │   ├── InvalidLanguage
    │   ├── InvalidText
    │   ├── InvalidId
    │   ├── InvalidActivity
    │   └── InvalidAudio
    ├── ConnectionFailed              Supabase did not answer
    ├── DeadlineExceeded              no answer within the call's deadline (also a TimeoutError)
    ├── SupabaseError                 Supabase answered, and refused
    │   ├── SessionNotFound
    │   ├── SessionExpired
    │   ├── MessageNotFound
    │   ├── Conflict
    │   │   └── ClaimLost             a worker's claim is somebody else's by now
    │   ├── PermissionDenied
    │   ├── SchemaMissing
    │   └── Unavailable               a passing trouble of the server
    ├── SubscribeFailed               live changes could not be had
    │   └── SubscribeTimeout
    ├── NothingSaid                   silence or noise, and no words
    ├── TranscriptionFailed
    ├── TranslationFailed
    │   └── TranslatorUnavailable     nor could any other text be translated now
    └── SpeechFailed

A class's docstring is its default message, written for the person who must fix it.
Using a client after its end is a mistake in the program: ClientClosed is a RuntimeError, outside this tree.
"""

from __future__ import annotations


class BabelroomError(Exception):
    """babelroom could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigurationError(BabelroomError):
    """A setting is missing or malformed; see .env.example for what each one means."""


class MissingCredentials(ConfigurationError):
    """No Supabase credentials: set SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY (environment, .env.local or .env)."""


class InvalidInput(BabelroomError, ValueError):
    """A value was refused before anything was sent."""


class InvalidCode(InvalidInput):
    """A session code is exactly four digits, such as "0421"."""


class InvalidLanguage(InvalidInput):
    """A language is a BCP 47 tag of at most 10 characters, such as "en", "es" or "pt-BR"."""


class InvalidText(InvalidInput):
    """A text is empty, too long, or cannot be stored."""


class InvalidId(InvalidInput):
    """An id is a UUID."""


class InvalidActivity(InvalidInput):
    """An activity is "typing", "recording", "processing" or "idle"."""


class InvalidAudio(InvalidInput):
    """A recording is a file of webm, ogg, mp4, m4a, mp3, wav or flac, of at most 25 MB."""


class ConnectionFailed(BabelroomError):
    """Supabase did not answer: check SUPABASE_URL, the network, and that it runs (hosted: that it is not paused)."""

    def __init__(self, message: str | None = None, *, may_have_arrived: bool = True) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        """Whether the request may have reached the server before the connection failed."""


class DeadlineExceeded(BabelroomError, TimeoutError):
    """Supabase did not answer within the call's deadline."""


class SupabaseError(BabelroomError):
    """Supabase refused the request."""

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        status: int | None = None,
        details: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        """SQLSTATE or PostgREST code, such as "23505" or "PGRST205"."""
        self.status = status
        """HTTP status, where there was one."""
        self.details = details
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(_sentence(part) for part in (super().__str__(), self.details, self.hint) if part)


class SessionNotFound(SupabaseError):
    """Session not found or expired"""


class SessionExpired(SupabaseError):
    """Session not found or expired"""


class MessageNotFound(SupabaseError):
    """There is no message with this id."""


class Conflict(SupabaseError):
    """The request contradicts what is stored already."""


class ClaimLost(Conflict):
    """This claim has been lost: drop the work. Nothing was written."""


class PermissionDenied(SupabaseError):
    """The key may not do this: check the key, and that the policies of the migrations are applied."""


class SchemaMissing(SupabaseError):
    """A table or function of babelroom is missing: apply the migrations with `supabase db push --remote`."""


class Unavailable(SupabaseError):
    """Supabase is in passing trouble; the same request may go through later."""


class SubscribeFailed(BabelroomError):
    """Supabase Realtime refused the subscription: check that the table is in the publication supabase_realtime."""


class SubscribeTimeout(SubscribeFailed, TimeoutError):
    """Supabase Realtime did not confirm in time that changes flow: check that Realtime is on for this project."""


class NothingSaid(BabelroomError):
    """The recording holds silence or noise: nobody said anything."""


class TranscriptionFailed(BabelroomError):
    """The recording could not be transcribed."""


class TranslationFailed(BabelroomError):
    """The text could not be translated."""


class TranslatorUnavailable(TranslationFailed):
    """The translator cannot be used at all: its key, its address or its quota is at fault, not the text."""


class SpeechFailed(BabelroomError):
    """The text could not be spoken."""


class ClientClosed(RuntimeError):
    """This client is closed: use it inside its `async with` block."""

    def __init__(self) -> None:
        super().__init__((self.__doc__ or "").strip())


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ")")) else f"{text}."


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed if it is simply sent again."""
    return isinstance(error, ConnectionFailed | Unavailable)
