"""OpenAI on loopback: its HTTP for chat completions, transcription and speech, and whatever a test tells it to do.

Without being told it translates, by a mark: "Hello (Spanish)" for Hello. As a program it serves until it is ended, and
its first line is its address:

    python -m tests.support.openai_server --port 0 --delay-ms 300
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import hdrs, web

LOOPBACK = "127.0.0.1"
SOUND = bytes.fromhex("fffb9064") + bytes(413)
"""A frame of mp3 in which nothing sounds."""

_OK = 200
_LARGEST = 30 * 1024 * 1024
_SOUND_CHUNKS = 3
_TARGET = re.compile(r" to (\w[\w ]*\w)(?: \([\w-]+\))?\.")
_WORD = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True)
class File:
    """A file as it arrived in a form."""

    name: str
    kind: str  # the media type that came with it
    data: bytes


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    path: str
    headers: Mapping[str, str]
    json: dict[str, Any] = field(default_factory=dict)
    form: Mapping[str, list[str]] = field(default_factory=dict)
    file: File | None = None
    peer: object = None  # the client's end of the connection

    @property
    def text(self) -> str:
        """What is to be translated or spoken: the last message, alone in it, or the input."""
        return self.json["messages"][-1]["content"] if "messages" in self.json else self.json.get("input", "")

    @property
    def instructions(self) -> str:
        return "\n".join(message["content"] for message in self.json["messages"] if message["role"] == "system")


def pseudo_translation(asked: Asked) -> str:
    """The text, marked with the target language."""
    named = _TARGET.search(asked.instructions)
    return f"{asked.text} ({named[1] if named else 'translated'})"


@dataclass(frozen=True)
class Answer:
    """What a request meets. As it stands: a good answer, at once."""

    text: str | Callable[[Asked], str] | None = pseudo_translation
    """Of a chat completion; None: it has no content, as beside a refusal."""
    delay: float = 0.0
    """Seconds before the first byte."""
    pause: float = 0.0
    """Seconds between chunks; without them they leave as one piece."""
    gate: asyncio.Event | None = None
    """Nothing is answered until it is set."""
    half_way: asyncio.Event | None = None
    """The first chunk goes out alone, the others when this is set."""
    cut_after: int | None = None
    """So many chunks, and the connection is cut."""
    status: int = 200
    code: str | None = None
    """OpenAI's code of the error, such as "insufficient_quota"."""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """The whole body, whatever it is."""
    kind: str = "text/html"
    """The media type of a raw body."""
    refusal: str | None = None
    finish_reason: str | None = "stop"
    chunks: Sequence[str] | None = None
    """The text as it is cut; without it: by words."""
    plain: bool = False
    """One JSON completion, although a stream was asked for."""
    tells_usage: bool = True
    says_done: bool = True
    """The stream ends with [DONE]."""
    transcript: Mapping[str, Any] | Callable[[Asked], Mapping[str, Any]] | None = None
    sound: bytes = SOUND * 12


def refuses(status: int, *, code: str | None = None, **headers: str) -> Answer:
    """An error's status; headers such as retry_after="1"."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, code=code, headers=named)


def garbage(raw: bytes = b"<html>It works!</html>", kind: str = "text/html") -> Answer:
    """A page of some other server."""
    return Answer(raw=raw, kind=kind)


def refusal(reason: str = "I'm sorry, I can't help with that.") -> Answer:
    """The model says no, in the field for it."""
    return Answer(text=None, refusal=reason)


def hears(text: str, *segments: Mapping[str, Any], language: str = "english", duration: float = 2.0) -> Answer:
    """A transcript. Of a segment only what matters need be given; without any there is one, surely spoken."""
    given = segments or ({"text": text},)
    whole = [segment(number, **{"end": duration, **values}) for number, values in enumerate(given)]
    return Answer(
        transcript={"task": "transcribe", "language": language, "duration": duration, "text": text, "segments": whole}
    )


def ghost(text: str = "Thank you for watching!") -> Answer:
    """What Whisper writes for silence."""
    return hears(text, {"text": text, "no_speech_prob": 0.93, "avg_logprob": -1.1})


def segment(number: int = 0, **values: Any) -> dict[str, Any]:
    """A segment as Whisper gives it."""
    usual = {"start": 0.0, "end": 2.0, "text": "", "tokens": [], "temperature": 0.0, "seek": 0}
    return {"id": number, **usual, "avg_logprob": -0.2, "compression_ratio": 1.0, "no_speech_prob": 0.01, **values}


class OpenAIServer:
    """Remembers what it was asked; `answer` is for all requests, `then()` for the next ones."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.url = ""
        self.answer = answer or Answer()
        self.requests: list[Asked] = []
        self.usages: list[dict[str, int]] = []  # as it told them
        self.keeps_requests = True
        self._next: deque[Answer] = deque()
        self._news = asyncio.Event()

    def then(self, *answers: Answer) -> None:
        """The next requests meet these, one each; those after them `answer` again."""
        self._next.extend(answers)

    async def until_asked(self, times: int, *, within: float = 10.0) -> None:
        """Wait until so many requests have come. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while len(self.requests) < times:
                self._news.clear()
                await self._news.wait()

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[OpenAIServer]:
        """Serve on a port of loopback; 0: a free one."""
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        app.router.add_post("/v1/audio/speech", self._speak)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, LOOPBACK, port)
            await site.start()
            self.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}/v1"
            yield self
        finally:
            await runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = _json(request, await request.read())
        answer = await self._meet(asked)
        if answer.status != _OK or answer.raw is not None:
            return _other(answer)
        text = answer.text(asked) if callable(answer.text) else answer.text
        usage = _usage(asked, text or "") if answer.tells_usage else None
        if usage and self.keeps_requests:
            self.usages.append(usage)
        if answer.plain or not asked.json.get("stream"):
            return web.json_response(_completion(answer, text, usage), headers=answer.headers)
        wants_usage = (asked.json.get("stream_options") or {}).get("include_usage")
        return await _send(request, answer, _events(answer, text, usage if wants_usage else None), "text/event-stream")

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        posted = await request.post()
        form: dict[str, list[str]] = {}
        file = None
        for name, value in posted.items():
            if isinstance(value, web.FileField):
                with value.file as opened:
                    file = File(value.filename, value.content_type, opened.read())
            else:
                form.setdefault(name, []).append(str(value))
        asked = Asked(request.path, request.headers, form=form, file=file)
        answer = await self._meet(asked)
        if answer.status != _OK or answer.raw is not None:
            return _other(answer)
        transcript = answer.transcript or hears("Hello, how are you?").transcript
        transcript = transcript(asked) if callable(transcript) else transcript
        if form.get("response_format") != ["verbose_json"]:
            transcript = {name: transcript[name] for name in ("text", "usage") if name in transcript}
        return web.json_response(transcript, headers=answer.headers)

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        answer = await self._meet(_json(request, await request.read()))
        if answer.status != _OK or answer.raw is not None:
            return _other(answer)
        size = max(1, -(-len(answer.sound) // _SOUND_CHUNKS))
        chunks = [answer.sound[start : start + size] for start in range(0, len(answer.sound), size)]
        return await _send(request, answer, chunks, "audio/mpeg")

    async def _meet(self, asked: Asked) -> Answer:
        if self.keeps_requests:
            self.requests.append(asked)
            self._news.set()
        answer = self._next.popleft() if self._next else self.answer
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.gate:
            await answer.gate.wait()
        return answer


def _json(request: web.Request, body: bytes) -> Asked:
    peer = request.transport and request.transport.get_extra_info("peername")
    return Asked(request.path, request.headers, json=json.loads(body), peer=peer)


def _other(answer: Answer) -> web.Response:
    if answer.raw is not None:
        headers = {**answer.headers, hdrs.CONTENT_TYPE: answer.kind}
        return web.Response(status=answer.status, body=answer.raw, headers=headers)
    kind = "insufficient_quota" if answer.code == "insufficient_quota" else "invalid_request_error"
    error = {"message": f"This is error {answer.status}.", "type": kind, "param": None, "code": answer.code}
    return web.json_response({"error": error}, status=answer.status, headers=answer.headers)


async def _send(request: web.Request, answer: Answer, chunks: list[bytes], kind: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={**answer.headers, hdrs.CONTENT_TYPE: kind})
    await response.prepare(request)
    sent = chunks[: answer.cut_after]
    if answer.half_way:
        await response.write(sent.pop(0))
        await answer.half_way.wait()
    if answer.pause:
        for chunk in sent:
            await response.write(chunk)
            await asyncio.sleep(answer.pause)
    elif sent:
        await response.write(b"".join(sent))
    if answer.cut_after is not None and request.transport is not None:
        request.transport.close()  # without the last chunk of HTTP: what was sent arrives, and the stream is broken
    else:
        await response.write_eof()
    return response


def _usage(asked: Asked, text: str) -> dict[str, int]:
    """A token for each word: enough to tell one request from another."""
    prompt = sum(message["content"].count(" ") + 1 for message in asked.json["messages"])
    made = text.count(" ") + 1
    return {"prompt_tokens": prompt, "completion_tokens": made, "total_tokens": prompt + made}


def _completion(answer: Answer, text: str | None, usage: dict[str, int] | None) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": answer.refusal}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "a-model", "choices": [choice]}
    return whole if usage is None else {**whole, "usage": usage}


_HEAD = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"a-model","system_fingerprint":"fp_1",'
_EVENT = f'data: {_HEAD}"choices":[%s],"usage":%s}}\n\n'
_CHOICE = '{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}'


def _events(answer: Answer, text: str | None, usage: dict[str, int] | None) -> list[bytes]:
    chunks = _WORD.findall(text or "") if answer.chunks is None else answer.chunks
    deltas = [json.dumps({"content": chunk}, ensure_ascii=False) for chunk in chunks]
    if answer.refusal:
        deltas.append(json.dumps({"refusal": answer.refusal}))
    if deltas:
        deltas[0] = f'{{"role":"assistant",{deltas[0][1:]}'
    events = [_EVENT % (_CHOICE % (delta, "null"), "null") for delta in deltas]
    if answer.finish_reason:
        events.append(_EVENT % (_CHOICE % ("{}", json.dumps(answer.finish_reason)), "null"))
    if usage:
        events.append(_EVENT % ("", json.dumps(usage)))
    if answer.says_done:
        events.append("data: [DONE]\n\n")
    return [event.encode() for event in events]


async def _serve(port: int, answer: Answer) -> None:
    server = OpenAIServer(answer)
    server.keeps_requests = False
    async with server.running(port):
        print(server.url, flush=True)  # noqa: T201  whoever started this reads it
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="OpenAI on loopback. The first line is its address.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--delay-ms", type=float, default=0, help="before the first byte of each answer")
    parser.add_argument("--pause-ms", type=float, default=0, help="between the chunks of an answer")
    options = parser.parse_args()
    answer = Answer(delay=options.delay_ms / 1000, pause=options.pause_ms / 1000)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.port, answer))


if __name__ == "__main__":
    main()
