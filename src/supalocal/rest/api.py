"""The front door of the REST API: one request, from HTTP to HTTP."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aiohttp import web
from psycopg_pool import PoolTimeout

from supalocal.apikey import AUTHORIZATION
from supalocal.rest.cache import SchemaCache
from supalocal.rest.configuration import Configuration
from supalocal.rest.errors import RestError, SchemaError
from supalocal.rest.media import OPENAPI, accepts_openapi
from supalocal.rest.openapi import openapi_document
from supalocal.rest.plan import find_table, make_plan
from supalocal.rest.prepared import Preparation, Prepared
from supalocal.rest.request import Action, RawRequest, Request, parse_payload, parse_request
from supalocal.rest.response import (
    Answer,
    answer,
    describe,
    describe_function,
    describe_table,
    error_answer,
    profile,
)
from supalocal.rest.run import Settings, Transaction, run
from supalocal.rest.schema import RoleSettings, Schema
from supalocal.rest.sql import quoted
from supalocal.rest.token import Identity, identify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg_pool import AsyncConnectionPool

    from supalocal.rest.body import Payload

_NO_SETTINGS = RoleSettings()


class RestApi:
    """PostgREST's HTTP API over a pool of connections that log in as `authenticator`."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        *,
        jwt_secret: str,
        schemas: Sequence[str] = ("public",),
        extra_search_path: Sequence[str] = ("public", "extensions"),
        max_rows: int | None = 1000,
        anon_role: str = "anon",
    ) -> None:
        self._pool = pool
        self._jwt_secret = jwt_secret
        configuration = Configuration(tuple(schemas), tuple(extra_search_path), max_rows, anon_role)
        self._cache = SchemaCache(pool, configuration)
        self._preparation = Preparation()

    async def start(self) -> None:
        """Read the schema and listen for its changes; the pool must be open."""
        await self._cache.start()

    async def close(self) -> None:
        """Stop listening. The pool stays open: it is its owner's."""
        await self._cache.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request whose match_info["path"] is the path below the mount point."""
        raw = await _raw(request)
        try:
            given = await self._answer(raw)
        except RestError as error:
            given = error_answer(error, is_head=raw.method == "HEAD")
        except RecursionError:
            # What is nested this deeply would be too deep for PostgreSQL soon after.
            given = error_answer(RestError(500, "54001", "stack depth limit exceeded"), is_head=raw.method == "HEAD")
        return _http(given)

    def refuse(self, method: str, path: str) -> web.Response | None:
        """The answer to a method that is none of HTTP's; None to one that is."""
        try:
            parse_request(RawRequest(method, path, "", {}, (), b""), Configuration(), ())
        except RestError as error:
            return _http(error_answer(error))
        return None

    async def _answer(self, raw: RawRequest) -> Answer:
        schema = await self._cache.current()
        configuration = schema.configuration
        identity = identify(raw.headers.get("authorization"), self._jwt_secret, configuration.anon_role)
        timezones = await self._cache.timezones() if any("timezone=" in value for value in raw.prefer) else ()
        asked = parse_request(raw, configuration, timezones)
        payload = parse_payload(asked, raw.body)
        try:
            return await self._act(raw, identity, asked, payload, schema)
        except SchemaError:
            newer = await self._cache.newer(schema)
            if newer is None:
                raise
            return await self._act(raw, identity, asked, payload, newer)

    async def _act(
        self, raw: RawRequest, identity: Identity, asked: Request, payload: Payload | None, schema: Schema
    ) -> Answer:
        if asked.action is Action.DOCUMENT:
            return _document(asked, schema)
        if asked.action in _DESCRIBED:
            return _description(asked, schema)
        prepared = self._preparation.prepare(asked, payload, schema)
        transaction = self._transaction(raw, identity, prepared, schema)
        try:
            # Not as a context: that would commit once more.
            connection = await self._pool.getconn()
        except PoolTimeout as exc:
            message = "Timed out acquiring connection from connection pool."
            raise RestError(504, "PGRST003", message) from exc
        try:
            result = await run(connection, prepared, payload, transaction)
        finally:
            await self._pool.putconn(connection)
        return answer(asked, prepared.plan, result, raw.query)

    def _transaction(self, raw: RawRequest, identity: Identity, prepared: Prepared, schema: Schema) -> Transaction:
        asked, plan = prepared.request, prepared.plan
        role = schema.roles.get(identity.role, _NO_SETTINGS)
        function = plan.call.function if plan.call else None
        configuration = schema.configuration
        settings: Settings = (
            ("search_path", _search_path(asked.name.schema, configuration.extra_search_path)),
            *role.settings,
            ("role", identity.role),
            ("request.jwt.claims", identity.claims),
            ("request.method", raw.method),
            ("request.path", f"/{raw.path}"),
            ("request.headers", _headers_json(raw.headers)),
            ("request.cookies", _cookies_json(raw.headers.get("cookie"))),
            *([("timezone", asked.preferences.timezone)] if asked.preferences.timezone else []),
            *(function.settings if function else ()),
        )
        isolation = (function.isolation if function else None) or role.isolation
        reads_only = plan.reads_only or asked.action is Action.CALL_READING
        is_anonymous = identity.role == configuration.anon_role
        keeps = configuration.keeps(asked.preferences.end)
        return Transaction(settings, reads_only, isolation, is_anonymous, keeps, configuration.pre_request)


_DESCRIBED = {Action.DESCRIBE_TABLE, Action.DESCRIBE_FUNCTION, Action.DESCRIBE_ROOT}


def _description(asked: Request, schema: Schema) -> Answer:
    if asked.action is Action.DESCRIBE_ROOT:
        return describe("OPTIONS,GET,HEAD")
    if asked.action is Action.DESCRIBE_TABLE:
        return describe_table(find_table(schema, asked.name))
    plan = make_plan(asked, schema)
    if plan.call is None:
        raise RuntimeError("The plan of a request for a function has no call.")
    return describe_function(plan.call.function)


def _document(asked: Request, schema: Schema) -> Answer:
    accepts_openapi(asked.accept)
    body = b"" if asked.is_head else openapi_document(schema, asked.name.schema)
    return Answer(200, {"Content-Type": f"{OPENAPI}; charset=utf-8", **profile(asked)}, body)


async def _raw(request: web.Request) -> RawRequest:
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers.pop("authorization", None)
    if authorization := request.get(AUTHORIZATION):
        headers["authorization"] = authorization
    return RawRequest(
        method=request.method,
        path=_sent_path(request),
        query=request.raw_path.partition("?")[2],
        headers=headers,
        prefer=tuple(request.headers.getall("Prefer", ())),
        body=await request.read() if request.body_exists else b"",
    )


def _sent_path(request: web.Request) -> str:
    mount = len(request.path) - len(request.match_info.get("path", ""))
    return request.rel_url.raw_path[mount:]


@lru_cache(maxsize=64)
def _search_path(schema: str, extra: tuple[str, ...]) -> str:
    return ", ".join(quoted(name) for name in (schema, *extra))  # twice where it is among them, as PostgREST does


def _headers_json(headers: Mapping[str, str]) -> str:
    shown = {name: value for name, value in headers.items() if name != "cookie"}
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)


def _cookies_json(cookie: str | None) -> str:
    if not cookie:
        return "{}"
    pairs = (part.strip().partition("=") for part in cookie.split(";"))
    return json.dumps({name: value for name, _, value in pairs if name}, separators=(",", ":"), ensure_ascii=False)


def _http(given: Answer) -> web.Response:
    return web.Response(status=given.status, reason=given.reason, body=given.body, headers=given.all_headers)
