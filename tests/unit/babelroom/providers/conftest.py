"""A server on loopback that speaks the chat completions protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from babelroom import Settings


@dataclass
class ChatServer:
    """Answers with `answer` and remembers what it was asked."""

    answer: str | None = "Hola"
    finish_reason: str = "stop"
    status: int = 200
    failures_first: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def settings(self) -> Settings:
        return Settings(openai_api_key=SecretStr("a-key"), openai_base_url=self.url, translation_model="a-model")

    async def complete(self, request: web.Request) -> web.Response:
        self.requests.append(await request.json())
        self.keys.append(request.headers["Authorization"])
        if len(self.requests) <= self.failures_first:
            return web.json_response({"error": {"message": "busy"}}, status=503, headers={"retry-after-ms": "1"})
        if self.status != 200:
            return web.json_response(
                {"error": {"message": "refused"}}, status=self.status, headers={"x-should-retry": "false"}
            )
        message = {"role": "assistant", "content": self.answer}
        choice = {"index": 0, "finish_reason": self.finish_reason, "message": message}
        completion = {"id": "1", "object": "chat.completion", "created": 1, "model": "a-model", "choices": [choice]}
        return web.json_response(completion)


@pytest.fixture
async def chat() -> AsyncIterator[ChatServer]:
    """A chat completions server; change its answer before asking it."""
    server = ChatServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.complete)
    async with TestServer(app) as running:
        server.url = str(running.make_url("/v1"))
        yield server
