"""Generated requests against a running stack: each is answered, and none leaves a trace that it should not."""

from __future__ import annotations

import http.client
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import psycopg
import pytest
from hypothesis import example, given
from support.rest_grammar import Request, requests

import supalocal

SCHEMA = Path(__file__).with_name("schema.sql")
SECRET_WORD = b"nightingale"  # in rows that no request without the service role may see
SECONDS = 20.0  # the longest statement timeout is 8 s
# What no request may change: the canaries, and whatever SQL that got through could have made or altered.
_UNTOUCHED = """
select
  (select array_agg(c.*::text) from canary c),
  (select array_agg(v.*::text) from hidden.vault v),
  (select md5(string_agg(concat(c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity), ',' order by c.oid))
   from pg_class c where c.oid >= 16384),
  (select md5(string_agg(concat(p.proname, p.prosrc, p.proacl), ',' order by p.oid))
   from pg_proc p where p.oid >= 16384),
  (select md5(string_agg(concat(r.rolname, r.rolsuper, r.rolbypassrls, r.rolconfig), ',' order by r.oid))
   from pg_roles r),
  (select md5(string_agg(concat(p.polname, p.polqual), ',' order by p.oid)) from pg_policy p),
  (select array_agg(a.query) from pg_stat_activity a where a.usename = 'authenticator' and a.state like 'idle in%')
"""


class Errors(logging.Handler):
    """Keeps what the stack's process logs as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))

    def taken(self) -> list[str]:
        """Those since the last time."""
        taken, self.messages = self.messages, []
        return taken


class Door:
    """Sends requests, and looks behind the door."""

    def __init__(self, stack: supalocal.Stack, database: psycopg.Connection[Any], errors: Errors) -> None:
        self._address = urlsplit(stack.url)
        self._connection = self._connect()
        self._tokens = _tokens(stack)
        self._database = database
        self.errors = errors

    def send(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        headers = dict(request.headers)
        if request.authorization is not None:
            headers["Authorization"] = self._tokens.get(request.authorization, request.authorization)
        try:
            self._connection.request(request.method, f"/rest/v1/{request.path}", request.body, headers)
            answer = self._connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except BaseException:
            self._connection.close()
            self._connection = self._connect()
            raise

    def close(self) -> None:
        self._connection.close()

    def untouched(self) -> Any:
        return self._database.execute(_UNTOUCHED).fetchone()

    def whoami(self) -> Any:
        """What a request without a token meets on the connection that it happens to get."""
        _, _, body = self.send(Request("GET", "rpc/whoami", {}, None, None))
        return json.loads(body)

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=SECONDS)


def _tokens(stack: supalocal.Stack) -> dict[str, str]:
    now = int(time.time())
    lasting = {"exp": now + 100_000}

    def signed(claims: dict[str, Any], key: str = stack.keys.jwt_secret, algorithm: str = "HS256") -> str:
        return f"Bearer {jwt.encode(claims, key, algorithm=algorithm)}"

    return {
        "anon": f"Bearer {stack.anon_key}",
        "service": f"Bearer {stack.service_role_key}",
        "user": signed({"role": "authenticated", "sub": "7f1c0a52-0d6c-4f57-9f2b-0b6b3f3f5c11", **lasting}),
        "expired": signed({"role": "service_role", "exp": now - 1000}),
        "unsigned": signed({"role": "service_role", **lasting}, "", "none"),
        "unknown role": signed({"role": "x'; set role postgres; --", **lasting}),
        "superuser": signed({"role": "supabase_admin", **lasting}),
        "no object": signed({"role": {"a": 1}, **lasting}),
        "cut": signed({"role": "service_role", **lasting})[:-3],
    }


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    errors = Errors()
    logging.getLogger().addHandler(errors)
    with (
        supalocal.Stack().running() as stack,
        psycopg.connect(stack.admin_db_url, autocommit=True) as database,
    ):
        database.execute(SCHEMA.read_bytes())
        opened = Door(stack, database, errors)
        yield opened
        opened.close()
    logging.getLogger().removeHandler(errors)


@pytest.fixture(scope="module")
def untouched(door: Door) -> Any:
    return door.untouched()


@pytest.fixture(scope="module")
def stranger(door: Door) -> Any:
    return door.whoami()


def nested(path: str, opening: str, inside: str) -> Request:
    """A request that goes deeper than any stack."""
    return Request("GET", f"{path}=({opening * 2000}{inside}{')' * 2001}", {}, None, None)


@example(request=nested("shelves?or", "and(", "id.eq.1"))
@example(request=nested("items?not.and", "not.or(", "id.is.null"))
@example(request=Request("GET", f"items?select={'items(' * 2000}id{')' * 2000}", {}, None, None))
@example(request=Request("GET", f"shelves?select=data{'-%3Ea' * 9000}", {}, None, None))
@example(request=Request("POST", "rpc/echo", {}, None, b'{"a":' * 9000 + b"1" + b"}" * 9000))
@given(request=requests())
def test_every_request_is_answered_and_changes_nothing_that_it_may_not(
    door: Door, untouched: Any, stranger: Any, request: Request
):
    """No failure of ours, no hang, no open transaction, no forbidden row, nothing altered, nothing left to the next."""
    status, headers, body = door.send(request)
    assert door.errors.taken() == []
    assert b"Traceback" not in body
    if status >= 400 and request.method != "HEAD":
        error = json.loads(body)
        assert {"code", "message"} <= error.keys(), error
        assert status != 500 or len(error["code"]) == 5 or error["code"].startswith("PGRST"), error
    if request.authorization != "service":
        assert SECRET_WORD not in body
    assert SECRET_WORD not in str(headers).encode()
    assert door.untouched() == untouched
    assert door.whoami() == stranger
