"""Generates REST requests: most follow the grammar, some break it, some try to slip SQL through it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import strategies as st

Text = st.SearchStrategy[str]

TABLES = ["shelves", "items", "labels", "item_labels", "priced", "notes", "canary", "vault"]
FUNCTIONS = ["add", "total", "echo", "shelves_like", "stack_up", "fail", "reply", "shelf_of", "whoami"]
COLUMNS = ["id", "name", "shelf_id", "parent_id", "price", "data", "tags", "span", "made", "words", "odd name", "body"]
ARGUMENTS = ["a", "b", "numbers", "pattern", "n", "state", "headers", "status"]
RELATIONS = [*TABLES, "shelf_of", "parent_id", "shelf_id"]
HINTS = ["", "!inner", "!left", "!shelf_id", "!items_shelf_id_fkey", "!item_labels", "!inner!left", "!"]
TYPES = ["text", "int", "jsonb", "numeric", "double precision", "bogus", "regclass", "text[]", "$$", "xml"]
OPERATORS = ["eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "in", "is", "isdistinct"]
OPERATORS += ["fts", "plfts", "phfts", "wfts", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"]
OPERATORS += ["eq(any)", "like(all)", "gt(any)", "fts(simple)", "fts(nowhere)", "eq(some)", "not", "bogus"]
INJECTIONS = [
    "'; delete from canary; --",
    "'); drop table canary; --",
    '"; drop table canary; --',
    '" from canary; --',
    "1); update canary set song = 'silence'; --",
    "$$; truncate canary; $$",
    "\\'; drop table canary; --",
    "*/ delete from canary /*",
    "1 union select song from hidden.vault",
    "public.canary(song)",
    "hidden.vault",
    "pg_read_file('/etc/passwd')",
    "set_config('role', 'postgres', false)",
    "%' or '1'='1",
    "\ufeff\u202e\u0000'",
]
AUTHORIZATIONS = ["anon", "service", "user", "expired", "unsigned", "unknown role", "superuser", "no object", "cut"]


@dataclass(frozen=True)
class Request:
    """One request; `authorization` names a token of AUTHORIZATIONS, or is a header, or None."""

    method: str
    path: str
    headers: dict[str, str]
    authorization: str | None
    body: bytes | None


def _joined(*parts: Text) -> Text:
    return st.tuples(*parts).map("".join)


def _maybe(part: Text) -> Text:
    return st.just("") | part


def _listed(part: Text, *, most: int = 3) -> Text:
    return st.lists(part, max_size=most).map(",".join)


def _between(opening: str, closing: str, part: Text) -> Text:
    return part.map(lambda text: f"{opening}{text}{closing}")


_injection = st.sampled_from(INJECTIONS)
_name = (
    st.sampled_from([*COLUMNS, *COLUMNS, "*", "song", "a-b", ""]) | _between('"', '"', _injection) | st.text(max_size=4)
)
_number = st.integers(-3, 30).map(str) | st.sampled_from(["1e400", "9" * 40, "-0", "NaN", "1.5", "infinity"])
_word = st.sampled_from(
    ["shelf*", "item 1", "null", "NULL", "true", "{a,b}", "[1,5)", '{"n":1}', "(", "(1,2)", "%", "a,b", ""]
)
_value = _number | _number | _word | _injection | st.text(max_size=6) | _between('"', '"', _word)
_step = _joined(st.sampled_from(["->", "->>"]), st.sampled_from(["n", "deep", "0", "-1", "'", '"x"', ""]))
_field = _joined(_name, _maybe(_step), _maybe(_step))
_members = _between("(", ")", _listed(_value))
_tested = _joined(_maybe(st.just("not.")), st.sampled_from(OPERATORS), st.just("."), _value | _members)
_condition = st.recursive(
    _joined(_field, st.just("."), _tested),
    lambda inner: _joined(
        st.sampled_from(["and", "or", "not.and", "not.or", "nor"]), _between("(", ")", _listed(inner))
    ),
    max_leaves=5,
)
_aggregate = st.sampled_from([".sum()", ".avg()", ".count()", ".max()", ".min()", ".drop()"])
_alias = _maybe(_joined(_name, st.just(":")))
_cast = _maybe(_joined(st.just("::"), st.sampled_from(TYPES) | _injection))
_selected = _joined(_alias, _field, _cast, _maybe(_aggregate), _cast) | st.sampled_from(["*", "count()"])
_embed_start = _joined(_maybe(st.just("...")), _alias, st.sampled_from(RELATIONS), st.sampled_from(HINTS))
_item = st.recursive(_selected, lambda inner: _joined(_embed_start, _between("(", ")", _listed(inner))), max_leaves=5)
_direction = st.sampled_from(["", ".asc", ".desc", ".nullsfirst", ".desc.nullslast", ".up"])
_order = _joined(_field | _joined(st.sampled_from(RELATIONS), _between("(", ")", _field)), _direction)
_prefix = _maybe(_joined(st.sampled_from(RELATIONS), st.just(".")))


def _parameter(name: Text, value: Text) -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(_joined(_prefix, name), value)


_parameters = st.one_of(
    _parameter(_field, _tested),
    _parameter(_field, _tested),
    _parameter(st.just("select"), _listed(_item)),
    _parameter(st.just("select"), _listed(_item)),
    _parameter(st.sampled_from(["and", "or", "not.and", "not.or"]), _between("(", ")", _listed(_condition))),
    _parameter(st.just("order"), _listed(_order)),
    _parameter(st.sampled_from(["limit", "offset"]), _number | _value),
    _parameter(st.sampled_from(["columns", "on_conflict"]), _listed(_name)),
    _parameter(st.sampled_from(ARGUMENTS), _value | _members),
)


@st.composite
def _query(draw: st.DrawFn) -> str:
    pairs = draw(st.lists(_parameters, max_size=4))
    safe = draw(st.sampled_from(["", "", "()*,.:!\"'->{}[];+%=&#"]))
    text = "&".join(f"{quote(name, safe=safe)}={quote(value, safe=safe)}" for name, value in pairs)
    if text and draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(text) - 1))
        text = (
            text[:at] + draw(st.sampled_from(["", "(", ")", ",", ".", "%22", "%", "%00", "%ff", "="])) + text[at + 1 :]
        )
    return f"?{text}" if text else ""


_path = st.one_of(
    st.sampled_from(TABLES),
    st.sampled_from(TABLES[:5]),
    st.sampled_from(FUNCTIONS).map("rpc/{}".format),
    st.sampled_from(
        ["", "rpc/", "rpc/add/x", "items/1", "hidden.vault", "pg_authid", "rpc/pg_sleep", "%00", "%ff", ".."]
    ),
    _injection.map(lambda text: quote(text, safe="")),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | _value,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_value, inner, max_size=3),
    max_leaves=4,
)
_row = st.dictionaries(st.sampled_from([*COLUMNS, *ARGUMENTS]) | _name, _json, max_size=3)
_table_row = st.fixed_dictionaries({"id": st.integers(1, 40)}, optional={"name": _value, "shelf_id": st.integers(0, 6)})
_body = st.one_of(
    _table_row.map(lambda value: json.dumps(value).encode()),
    st.lists(_table_row, max_size=3).map(lambda value: json.dumps(value).encode()),
    (_row | st.lists(_row, max_size=3) | _json).map(lambda value: json.dumps(value).encode()),
    _joined(_listed(_name), st.just("\n"), _listed(_value), st.just("\n"), _listed(_value)).map(str.encode),
    st.sampled_from([b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"id": 1, "id": 2}', b'{"id": "\\u0000"}', b"a=1&b=2"]),
    st.binary(max_size=20),
)
_preference = st.sampled_from(
    [
        "return=representation",
        "return=minimal",
        "return=headers-only",
        "count=exact",
        "count=planned",
        "count=estimated",
        "resolution=merge-duplicates",
        "resolution=ignore-duplicates",
        "missing=default",
        "handling=strict",
        "handling=lenient",
        "max-affected=1",
        "max-affected=x",
        "tx=rollback",
        "timezone=Europe/Berlin",
        "timezone=';--",
        "bogus",
        "params=single-object",
    ]
)
_plain = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12).map(
    str.strip
)
_headers = st.fixed_dictionaries(
    {},
    optional={
        "Prefer": st.lists(_preference | _plain, min_size=1, max_size=4).map(", ".join),
        "Accept": st.sampled_from(
            [
                "*/*",
                "text/csv",
                "application/vnd.pgrst.object+json",
                "application/vnd.pgrst.array+json;nulls=stripped",
                "application/vnd.pgrst.plan+json",
                "application/octet-stream",
                "text/html;q=0.9,*/*;q=x",
                "application/openapi+json",
            ]
        )
        | _plain,
        "Content-Type": st.sampled_from(
            [
                "application/json",
                "text/csv",
                "application/x-www-form-urlencoded",
                "text/plain",
                "application/octet-stream",
                "x",
            ]
        )
        | _plain,
        "Range": st.sampled_from(["0-1", "5-2", "3-", "-3", "items=0-1", "9" * 30 + "-"]) | _plain,
        "Accept-Profile": st.sampled_from(["public", "hidden", "pg_catalog"]) | _plain,
        "Content-Profile": st.sampled_from(["public", "hidden", "pg_catalog"]) | _plain,
        "Cookie": st.sampled_from(["a=b; c", ";;=", "a=\u00ff"]) | _plain,
        "X-Custom": _plain,
    },
)
_method = st.sampled_from(
    [
        "GET",
        "GET",
        "GET",
        "GET",
        "POST",
        "POST",
        "POST",
        "PATCH",
        "PATCH",
        "DELETE",
        "PUT",
        "HEAD",
        "OPTIONS",
        "TRACE",
        "FROB",
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any request, well-formed as HTTP."""
    method = draw(_method)
    has_body = method in {"POST", "PATCH", "PUT"} or draw(st.integers(0, 30)) == 0
    return Request(
        method,
        draw(_path) + draw(_query()),
        draw(_headers),
        draw(st.none() | st.sampled_from(AUTHORIZATIONS) | _plain.map("Bearer {}".format)),
        draw(_body) if has_body else None,
    )
