"""Who may join a channel: the checks of a `phx_join`, in the real server's order."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from supalocal.realtime.authorization import Access, UnauthorizedError, seen_headers
from supalocal.realtime.frames import Broadcast
from supalocal.realtime.hub import NO_DATABASE, PREFIX, Hub
from supalocal.realtime.join import JoinConfig, parse_replay
from supalocal.realtime.tokens import Token, TokenError

log = logging.getLogger(__name__)
UNMATCHED = "unmatched topic"
_NO_NAME = "TopicNameRequired: You must provide a topic name"
_TOO_MANY_USERS = "ConnectionRateLimitReached: Too many connected users"
_TOO_MANY_CHANNELS = "ChannelRateLimitReached: Too many channels"
_TOO_MANY_JOINS = "ClientJoinRateLimitReached: Too many joins per second"
_UNREACHABLE = f"UnableToConnectToProject: {NO_DATABASE}"
_NO_REPLAY = "UnableToReplayMessages"


class RefusedError(Exception):
    """A join that is refused, with the reason that the client is told."""

    def __init__(self, reason: str, *, closes_socket: bool = False, pauses: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.closes_socket, self.pauses = reason, closes_socket, pauses


@dataclass(frozen=True, slots=True)
class Visitor:
    """The client that wants to join; `channels` counts those that it has joined."""

    socket: object
    key: str
    headers: Mapping[str, str]
    channels: int


@dataclass(frozen=True, slots=True)
class Admission:
    """What a channel starts with."""

    token: Token
    access: Access
    replayed: list[Broadcast]


async def admit(hub: Hub, visitor: Visitor, topic: str, config: JoinConfig) -> Admission:
    """Return what lets the visitor in; RefusedError otherwise."""
    if not topic.startswith(PREFIX):
        raise RefusedError(UNMATCHED, pauses=False)
    if topic == PREFIX:
        raise RefusedError(_NO_NAME)
    _check_limits(hub, visitor)
    token = _verify(hub, config.access_token, visitor.key)
    if not hub.is_live:
        raise RefusedError(_UNREACHABLE)
    channel = topic.removeprefix(PREFIX)
    access = Access(hub.authorizer, channel, seen_headers(visitor.headers), is_private=config.private)
    try:
        await access.grant(token.identity, with_presence=config.presence_enabled)
    except UnauthorizedError as exc:
        raise RefusedError(f"Unauthorized: {exc}") from exc
    except psycopg.OperationalError as exc:
        raise RefusedError(_UNREACHABLE) from exc
    return Admission(token, access, await _replay(hub, channel, config, access))


def _check_limits(hub: Hub, visitor: Visitor) -> None:
    if visitor.socket not in hub.users and hub.is_full:
        raise RefusedError(_TOO_MANY_USERS)
    if hub.joins.exceeded():
        raise RefusedError(_TOO_MANY_JOINS, closes_socket=True)
    hub.joins.add()
    most = hub.limits.channels_per_socket
    if most is not None and visitor.channels >= most:
        raise RefusedError(_TOO_MANY_CHANNELS)


def _verify(hub: Hub, sent: str | None, key: str) -> Token:
    try:
        return hub.verify(key if sent is None or sent.startswith("sb_") else sent)
    except TokenError as exc:
        raise RefusedError(exc.at_join) from exc


async def _replay(hub: Hub, channel: str, config: JoinConfig, access: Access) -> list[Broadcast]:
    if not config.asks_replay:
        return []
    if not access.reads_broadcasts:
        raise RefusedError(f"Unauthorized: You do not have permissions to read from this Channel topic: {channel}")
    if not config.private:
        raise RefusedError(f"{_NO_REPLAY}: Replay is not allowed for public channels")
    try:
        wanted = parse_replay(config.replay)
        return await hub.replay(channel, wanted) if wanted else []
    except ValueError as exc:
        raise RefusedError(f"{_NO_REPLAY}: Replay params are not valid") from exc
    except psycopg.Error as exc:
        log.warning("could not replay messages of %s: %s", channel, exc)
        raise RefusedError(f"{_NO_REPLAY}: Realtime was unable to replay messages") from exc
