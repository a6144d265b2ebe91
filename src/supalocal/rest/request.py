"""What an HTTP request asks for, before the database is known: resource, action, schema, query and body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from supalocal.rest.body import Payload, call_payload, media_name, table_payload
from supalocal.rest.errors import RestError
from supalocal.rest.preferences import Preferences, parse_preferences
from supalocal.rest.query import Query, parse_query
from supalocal.rest.ranges import EVERY_ROW, Range, header_range, top_level_range
from supalocal.rest.schema import Name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from supalocal.rest.configuration import Configuration


class Action(Enum):
    """What a request is about."""

    READ = "rows of a table"
    INSERT = "new rows, or changed ones where they conflict"
    UPDATE = "changed rows"
    PUT = "one row by its primary key, new or changed"
    DELETE = "rows taken away"
    CALL_READING = "a function by GET: arguments in the query string, nothing may change"
    CALL = "a function by POST: arguments in the body"
    DESCRIBE_TABLE = "the methods that a table allows"
    DESCRIBE_FUNCTION = "the methods that a function allows"
    DESCRIBE_ROOT = "the methods that the root allows"
    DOCUMENT = "the OpenAPI document"


_TABLE_ACTIONS = {
    "GET": Action.READ,
    "HEAD": Action.READ,
    "POST": Action.INSERT,
    "PATCH": Action.UPDATE,
    "PUT": Action.PUT,
    "DELETE": Action.DELETE,
    "OPTIONS": Action.DESCRIBE_TABLE,
}
_FUNCTION_ACTIONS = {
    "GET": Action.CALL_READING,
    "HEAD": Action.CALL_READING,
    "POST": Action.CALL,
    "OPTIONS": Action.DESCRIBE_FUNCTION,
}
_ROOT_ACTIONS = {"GET": Action.DOCUMENT, "HEAD": Action.DOCUMENT, "OPTIONS": Action.DESCRIBE_ROOT}
WRITES = {Action.INSERT, Action.UPDATE, Action.PUT, Action.DELETE}
# The headers that change what is asked.
_TELLING = ("range", "accept", "content-type", "accept-profile", "content-profile")
_LONGEST_KEPT = 2000  # characters of a query string
_SENDING = {"POST", "PATCH", "PUT", "DELETE"}
_WITH_BODY = {Action.INSERT, Action.UPDATE, Action.PUT}


@dataclass(frozen=True, slots=True)
class RawRequest:
    """An HTTP request as it came; header names are lower-case."""

    method: str
    path: str  # below the mount point, as it was sent
    query: str
    headers: Mapping[str, str]
    prefer: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; the body comes in only when the request is planned."""

    action: Action
    name: Name  # of the table or function; of neither at the root
    shows_profile: bool
    is_head: bool
    query: Query
    range: Range
    preferences: Preferences
    accept: str | None
    body_type: str
    repeats: bool  # whether an equal request is likely, and then the same object
    payload: Payload | None = None

    @property
    def is_write(self) -> bool:
        return self.action in WRITES


def parse_request(raw: RawRequest, configuration: Configuration, timezones: Collection[str]) -> Request:
    """What is asked, without the body; raises the first of PGRST125, 106, 101, 117, 100, 103 and 114 that applies.

    Equal requests are one object, as long as they are not too long to be kept.
    """
    told = tuple(raw.headers.get(name) for name in _TELLING)
    parsed = _parsed_once if len(raw.query) <= _LONGEST_KEPT else _parsed
    return parsed(raw.method, raw.path, raw.query, raw.prefer, told, configuration, frozenset(timezones))


def _parsed(
    method: str,
    path: str,
    query_text: str,
    prefer: tuple[str, ...],
    told: tuple[str | None, ...],
    configuration: Configuration,
    timezones: frozenset[str],
) -> Request:
    headers = dict(zip(_TELLING, told, strict=True))
    actions, name = _resource(path)
    schema, shows_profile = _schema(method, headers, configuration.schemas)
    action = _action(method, actions)
    query = parse_query(query_text, for_call_by_get=action is Action.CALL_READING)
    header = header_range(headers["range"]) if method == "GET" else EVERY_ROW
    rows = top_level_range(query.range, header)
    if action is Action.PUT and rows != EVERY_ROW:
        raise RestError(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT")
    preferences = parse_preferences(prefer, timezones)
    return Request(
        action=action,
        name=Name(schema, name),
        shows_profile=shows_profile,
        is_head=method == "HEAD",
        query=query,
        range=rows,
        preferences=preferences if configuration.client_may_choose_end else replace(preferences, end=None),
        accept=headers["accept"],
        body_type=media_name(headers["content-type"]),
        repeats=len(query_text) <= _LONGEST_KEPT,
    )


_parsed_once = lru_cache(maxsize=1000)(_parsed)


def _resource(path: str) -> tuple[dict[str, Action], str]:
    parts = [unquote(part) for part in path.split("/")]
    if parts == [""]:
        return _ROOT_ACTIONS, ""
    if len(parts) == 1:
        return _TABLE_ACTIONS, parts[0]
    if parts[0] == "rpc" and len(parts) == 2:  # noqa: PLR2004 - rpc/NAME
        return _FUNCTION_ACTIONS, parts[1]
    raise RestError(404, "PGRST125", "Invalid path specified in request URL")


def _schema(method: str, headers: Mapping[str, str | None], schemas: Sequence[str]) -> tuple[str, bool]:
    profile = headers["content-profile" if method in _SENDING else "accept-profile"]
    if profile is None:
        return schemas[0], len(schemas) > 1
    if profile not in schemas:
        hint = f"Only the following schemas are exposed: {', '.join(schemas)}"
        raise RestError(406, "PGRST106", f"Invalid schema: {profile}", hint=hint)
    return profile, True


def _action(method: str, actions: dict[str, Action]) -> Action:
    if action := actions.get(method):
        return action
    if actions is _FUNCTION_ACTIONS:
        raise RestError(405, "PGRST101", f"Cannot use the {method} method on RPC")
    raise RestError(405, "PGRST117", f"Unsupported HTTP method: {method}")


def parse_payload(request: Request, body: bytes) -> Payload | None:
    """The body of a request that has use for one; raises PGRST102."""
    columns = request.query.columns
    if request.action is Action.CALL:
        return call_payload(body, request.body_type, columns)
    if request.action in _WITH_BODY:
        return table_payload(body, request.body_type, None if request.action is Action.PUT else columns)
    return None
