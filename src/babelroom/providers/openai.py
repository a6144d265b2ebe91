"""OpenAI, or any server that speaks its protocol: one client, and what its errors mean. The only importer of openai."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Literal, cast

import aiohttp
import httpx2
import openai

from babelroom.attempts import Attempts
from babelroom.audio import Audio
from babelroom.config import VARIABLES, Settings
from babelroom.deadlines import limit
from babelroom.errors import BabelroomError, ClientClosed
from babelroom.providers.trouble import Trouble, attempts, cut, explained, garbled, slow

_ADDRESS = "https://api.openai.com/v1"
_IDLE_SECONDS = 60.0
"""A connection is kept so long: people pause between two turns, and the next one need not shake hands again."""
_SHARE = 0.4
"""Of the deadline, without a byte: then the attempt counts as hung, and time is left for another."""
_SHARE_UNHEARD = 0.6
"""The same for a recording: its transcript says nothing before its end."""

_NO_KEY = "OpenAI needs a key: set OPENAI_API_KEY."
_BAD_KEY = "OPENAI_API_KEY is malformed: copy the whole key, and nothing else, from the account's page of keys."
_BAD_ADDRESS = "OPENAI_BASE_URL is no address, such as https://api.openai.com/v1: {error}."
_UNREACHED = "OpenAI could not be reached: check the network, and OPENAI_BASE_URL if it is set."
_QUOTA = "OpenAI's quota is used up: check the account's plan and billing."
_LIMITED = "OpenAI's rate limit is reached: wait, or raise the account's limit."
_PASSING = "OpenAI is in passing trouble ({error.status_code}): try again later."
# Those that no other text would change.
_LASTING: dict[int, str] = {
    401: "OpenAI refused the key: check OPENAI_API_KEY and, if it is set, OPENAI_BASE_URL.",
    402: _QUOTA,
    403: "OpenAI's key may not use the model {model}.",
    404: "OpenAI does not know the model {model}: check {variable}, and OPENAI_BASE_URL if it is set.",
}
_RETRIED = {408, 409}
_TOO_MANY = 429
_SERVER_ERROR = 500
_NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientSSLError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    httpx2.UnsupportedProtocol,
)


class OpenAI:
    """The connections to one server, opened when they are used. Blocks for some milliseconds while it is made."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._fault: str | None = None
        self._client: openai.AsyncOpenAI | None = None
        self._is_closed = False
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
        if not key:
            self._fault = _NO_KEY
        elif not key.isascii() or not key.isprintable() or " " in key:
            self._fault = _BAD_KEY
        else:
            self._make(key)

    def _make(self, key: str) -> None:
        http = openai.DefaultAioHttpClient(
            limits=httpx2.Limits(
                max_connections=self.settings.max_connections,
                max_keepalive_connections=self.settings.max_connections,
                keepalive_expiry=_IDLE_SECONDS,
            )
        )
        try:
            self._client = openai.AsyncOpenAI(
                api_key=key,
                base_url=self.settings.openai_base_url or _ADDRESS,
                max_retries=0,  # retries are ours
                http_client=http,
            )
        except httpx2.InvalidURL as error:
            self._fault = _BAD_ADDRESS.format(error=error)

    @asynccontextmanager
    async def call(
        self, failed: type[BabelroomError], unavailable: type[BabelroomError] | None = None
    ) -> AsyncIterator[Attempts]:
        """Give a block its attempts, and the deadline's seconds; its trouble is raised as one of the two.

        Raises:
            failed: the attempts came to nothing, or took too long. openai's own error is the cause.
            unavailable: nor would they with any other text.
        """
        seconds = self.seconds
        with explained(failed, unavailable):
            try:
                async with asyncio.timeout(seconds) as timeout:
                    yield attempts(seconds)
            except TimeoutError as error:
                if not timeout.expired():
                    raise
                raise slow() from error

    @property
    def seconds(self) -> float:
        """What a call may take now."""
        return limit(self.settings.translation_deadline)

    async def complete(self, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a chat completion as they come.

        Raises:
            Trouble: there is none, or it broke off.
        """
        with self._mapped("translation_model"):
            # openai's method for chats takes as much time to look at the parameters as all else together.
            asked = self._opened().post(
                "/chat/completions",
                cast_to=httpx2.Response,
                body=body,
                options={"timeout": self._timeout()},
                stream=True,
                stream_cls=openai.AsyncStream[object],
            )
            response = cast("httpx2.Response", await asked)  # with that cast_to, no stream of openai's
            try:
                async for data in response.aiter_bytes():
                    yield data
            finally:
                await response.aclose()

    async def transcribe(self, audio: Audio, fields: Mapping[str, Any]) -> bytes:
        """Return the answer's body.

        Raises:
            Trouble: there is none.
        """
        with self._mapped("transcription_model"):
            answer = await self._opened().audio.transcriptions.with_raw_response.create(
                file=(audio.filename, audio.data),
                model=self.settings.transcription_model,
                timeout=self._timeout(_SHARE_UNHEARD),
                **fields,
            )
            return bytes(answer.content)

    async def speak(self, text: str, voice: str, file_format: Literal["mp3"]) -> AsyncGenerator[bytes, None]:
        """Yield the sound of a text as it comes.

        Raises:
            Trouble: there is none, or it broke off.
        """
        with self._mapped("speech_model"):
            async with self._opened().audio.speech.with_streaming_response.create(
                model=self.settings.speech_model,
                voice=voice,
                input=text,
                response_format=file_format,
                timeout=self._timeout(),
            ) as answer:
                kind = answer.headers.get("content-type", "")
                if kind.startswith(("text/", "application/json")):
                    raise garbled(f"{kind}, not sound")
                async for data in answer.iter_bytes():
                    yield data

    async def close(self) -> None:
        """Close the connections. Closing twice does nothing."""
        self._is_closed = True
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    def _opened(self) -> openai.AsyncOpenAI:
        if self._is_closed:
            raise ClientClosed
        if self._client is None:
            raise Trouble(self._fault or _NO_KEY, is_general=True)
        return self._client

    def _timeout(self, share: float = _SHARE) -> openai.Timeout:
        # Waiting for a free connection is no sign of a server that hangs.
        return openai.Timeout(self.seconds * share, pool=None)

    @contextmanager
    def _mapped(self, setting: str) -> Iterator[None]:
        try:
            yield
        except openai.APIStatusError as error:
            raise _refused(error, getattr(self.settings, setting), VARIABLES[setting][0]) from error
        except (openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, OSError) as error:
            raise _broken(error) from error


def broken_off(error: Any) -> Trouble:
    """Return the trouble that a server tells of in the middle of its answer."""
    told = error if isinstance(error, dict) else {"message": error}
    if "insufficient_quota" in (told.get("code"), told.get("type")):
        return Trouble(_QUOTA, is_general=True)
    return Trouble(f"OpenAI broke off its answer: {told.get('message')!s:.200}", passes=True)


def _refused(error: openai.APIStatusError, model: str, variable: str) -> Trouble:
    status = error.status_code
    if "insufficient_quota" in (error.code, error.type):
        return Trouble(_QUOTA, is_general=True)
    if status in _LASTING:
        return Trouble(_LASTING[status].format(model=model, variable=variable), is_general=True)
    if status == _TOO_MANY:
        return Trouble(_LIMITED, passes=True, is_limit=True, pause=_pause(error.response.headers))
    if status in _RETRIED or status >= _SERVER_ERROR:
        return Trouble(_PASSING.format(error=error), passes=True, pause=_pause(error.response.headers))
    return Trouble(f"OpenAI refused the request: {error.message:.200}")


def _broken(error: BaseException) -> Trouble:
    """What carries HTTP calls every lost connection a time-out: aiohttp's own error, its cause, tells which it is."""
    causes = list(_causes(error))
    if any(isinstance(cause, _NEVER_CONNECTED) for cause in causes):
        return Trouble(_UNREACHED, passes=True, is_general=True)
    if any(isinstance(cause, aiohttp.ServerTimeoutError) for cause in causes):
        return slow(passes=True)
    return cut()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _pause(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to be left alone: a number of them, an HTTP date, or OpenAI's milliseconds."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is not None or not asked:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None
