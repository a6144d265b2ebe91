"""Stands where a room of the stack is not built yet, and says so."""

from __future__ import annotations

import importlib
from typing import Any

from aiohttp import web


class Absent:
    """Answers 501 with the name of what is missing."""

    def __init__(self, name: str) -> None:
        self._message = f"{name} is not built yet."

    async def start(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Refuse the request."""
        return web.json_response({"message": f"{request.path}: {self._message}"}, status=501)

    handle_socket = handle_broadcast = handle


def service(module: str, name: str, *arguments: Any, **options: Any) -> Any:
    """The room's own class, or its stand-in."""
    found = getattr(importlib.import_module(module), name, None)
    return Absent(name) if found is None else found(*arguments, **options)
