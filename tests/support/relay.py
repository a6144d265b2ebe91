"""Carries the frames of one websocket between a client and a server; each end comes to the other as it was."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, web

from .frames import Hook, untouched
from .links import reset

_NO_CODE = 1005  # of a close frame without one; it is not sent


async def carry(client: web.WebSocketResponse, server: aiohttp.ClientWebSocketResponse, hook: Hook) -> None:
    """Return when either side has ended; the hook gets the server's text frames."""
    transports = [client._req.transport, server._response.connection.transport]
    async with asyncio.TaskGroup() as carrying:
        ways = [carrying.create_task(_one_way(*way)) for way in ((server, client, hook), (client, server, untouched()))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
    for ended, other in ((server, client), (client, server)):
        if ended.close_code not in (None, WSCloseCode.ABNORMAL_CLOSURE):
            await other.close(code=WSCloseCode.OK if ended.close_code == _NO_CODE else ended.close_code)
            return
    for transport in transports:
        reset(transport)


async def _one_way(source: Any, target: Any, hook: Hook) -> None:
    with contextlib.suppress(ConnectionError):  # the other side has ended
        async for message in source:
            if message.type is WSMsgType.TEXT:
                for frame in hook(message.data):
                    await target.send_str(frame)
            elif message.type is WSMsgType.BINARY:
                await target.send_bytes(message.data)
            elif message.type is WSMsgType.PING:
                await target.ping(message.data)
            elif message.type is WSMsgType.PONG:
                await target.pong(message.data)
