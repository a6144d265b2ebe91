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


# Requests that a client would send: the columns are there, and the values are of their type, whatever they hold.
_COLUMNS_OF = {
    "shelves": {"id": "number", "name": "text", "data": "json", "tags": "array", "span": "range", "made": "time"},
    "items": {"id": "number", "name": "text", "shelf_id": "number", "price": "number", "words": "words"},
    "labels": {"id": "number", '"odd \\"name"': "text"},
    "item_labels": {"item_id": "number", "label_id": "number"},
    "priced": {"id": "number", "name": "text", "price": "number"},
    "notes": {"id": "number", "body": "text"},
}
_EMBEDS_OF = {
    "shelves": ["items(name)", "items!inner(id,name)", "canary()", "...items(names:name)", "n:items(count)"],
    "items": ["shelves(name)", "shelf_of(id)", "labels(*)", "...shelves(shelf:name)", "parent_id(name)", "items(id)"],
    "labels": ["items(id,shelves(name))", "item_labels(*)"],
    "item_labels": ["items!inner(name)", "labels(id)"],
    "priced": ["shelves(*)"],
    "notes": ["shelves(id)"],
}
_anything = _injection | st.text(max_size=8) | _word
_TESTS_OF = {
    "number": _joined(st.sampled_from(["eq.", "gt.", "not.lte.", "isdistinct."]), st.integers(-2, 30).map(str))
    | st.lists(st.integers(0, 30).map(str), max_size=4).map(lambda numbers: f"in.({','.join(numbers)})"),
    "text": _joined(st.sampled_from(["eq.", "neq.", "like.", "not.ilike.", "isdistinct.", "wfts.", "gte."]), _anything)
    | st.lists(_anything, max_size=3).map(lambda words: f"in.({','.join(map(json.dumps, words))})"),
    "json": st.sampled_from(['cs.{"n":1}', "is.null", 'eq.{"n": 1}']),
    "array": st.lists(_anything, max_size=3).map(lambda words: f"ov.{{{','.join(map(json.dumps, words))}}}"),
    "range": st.sampled_from(["cs.2", "ov.[1,3)", "adj.(,0)", "sl.[9,)"]),
    "time": st.sampled_from(["gt.2024-01-01", "lt.now", "not.is.null"]),
    "words": _joined(st.sampled_from(["plfts.", "wfts(simple).", "phfts(english)."]), _anything),
}
_CALLS = {
    "add": {"a": _number, "b": _number},
    "total": {"numbers": _number},
    "shelves_like": {"pattern": _anything},
    "stack_up": {"n": _number},
    "fail": {"state": st.sampled_from(["22012", "PT418", "XX000", "PGRST", "42501", "40P01"])},
    "reply": {"headers": st.sampled_from(['[{"X-A": "b"}]', "[]", "{", '[{"a\\nb": "c"}]']), "status": _number},
    "whoami": {},
    "echo": {},
}


@st.composite
def _sound_query(draw: st.DrawFn, table: str) -> list[tuple[str, str]]:
    columns = _COLUMNS_OF[table]
    some = st.lists(st.sampled_from(sorted(columns)), min_size=1, max_size=3)
    pairs = [(name, draw(_TESTS_OF[columns[name]])) for name in draw(some)[: draw(st.integers(0, 2))]]
    if draw(st.booleans()):
        embeds = st.lists(st.sampled_from(_EMBEDS_OF[table]), max_size=1)
        pairs.append(("select", ",".join(draw(some) + draw(embeds))))
    if draw(st.booleans()):
        pairs.append(
            ("order", ",".join(name + draw(st.sampled_from(["", ".desc", ".asc.nullslast"])) for name in draw(some)))
        )
    if draw(st.booleans()):
        pairs.append((draw(st.sampled_from(["limit", "offset"])), str(draw(st.integers(0, 5)))))
    if draw(st.integers(0, 3)) == 0:
        column = draw(st.sampled_from([name for name, kind in columns.items() if kind == "number"]))
        tree = f"({column}.{draw(_TESTS_OF['number'])},not.and({column}.gt.3,{column}.is.null))"
        pairs.append((draw(st.sampled_from(["or", "and", "not.or"])), tree))
    return pairs


@st.composite
def _sound_call(draw: st.DrawFn, function: str) -> list[tuple[str, str]]:
    return [(name, draw(value)) for name, value in _CALLS[function].items()]


@st.composite
def _target(draw: st.DrawFn) -> str:
    """A path and its query string; three of four are sound."""
    table = draw(st.sampled_from(sorted(_COLUMNS_OF)))
    function = draw(st.sampled_from(sorted(_CALLS)))
    kind = draw(st.sampled_from(["table", "table", "table", "call", "wild table", "wild"]))
    if kind == "call":
        path, pairs = f"rpc/{function}", draw(_sound_call(function))
    elif kind == "table":
        path, pairs = table, draw(_sound_query(table))
    else:
        path, pairs = table if kind == "wild table" else draw(_path), draw(st.lists(_parameters, max_size=2))
    safe = draw(st.sampled_from(["", "", "()*,.:!\"'->{}[];+%=&#"])) if kind.startswith("wild") else ""
    text = "&".join(f"{quote(name, safe=safe)}={quote(value, safe=safe)}" for name, value in pairs)
    if text and draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(text) - 1))
        text = (
            text[:at] + draw(st.sampled_from(["", "(", ")", ",", ".", "%22", "%", "%00", "%ff", "="])) + text[at + 1 :]
        )
    return f"{path}?{text}" if text else path


_path = st.one_of(
    st.sampled_from(TABLES),
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
_table_row = st.fixed_dictionaries(
    {"id": st.integers(1, 40)}, optional={"name": _anything, "shelf_id": st.integers(1, 5)}
)
_call_body = st.sampled_from(sorted(_CALLS)).flatmap(lambda function: st.fixed_dictionaries(_CALLS[function]))
_body = st.one_of(
    (_table_row | _call_body).map(lambda value: json.dumps(value).encode()),
    _table_row.map(lambda value: json.dumps(value).encode()),
    st.lists(_table_row, max_size=3).map(lambda value: json.dumps(value).encode()),
    (_row | st.lists(_row, max_size=3) | _json).map(lambda value: json.dumps(value).encode()),
    _joined(_listed(_name), st.just("\n"), _listed(_value), st.just("\n"), _listed(_value)).map(str.encode),
    st.sampled_from([b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"id": 1, "id": 2}', b'{"id": "\\u0000"}', b"a=1&b=2"]),
    st.binary(max_size=20),
)
_PREFERENCES = ["return=representation", "return=minimal", "return=headers-only", "missing=default", "tx=rollback"]
_PREFERENCES += ["count=exact", "count=planned", "count=estimated", "handling=strict", "handling=lenient", "bogus"]
_PREFERENCES += ["resolution=merge-duplicates", "resolution=ignore-duplicates", "max-affected=1", "max-affected=x"]
_PREFERENCES += ["timezone=Europe/Berlin", "timezone=';--", "params=single-object"]
_preference = st.sampled_from(_PREFERENCES)
_plain = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12).map(
    str.strip
)
_ACCEPTED = ["*/*", "text/csv", "application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json;nulls=stripped"]
_REFUSED = ["application/vnd.pgrst.plan+json", "application/octet-stream", "text/html;q=x", "application/openapi+json"]
_SENT = ["text/csv", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "x"]
_SCHEMAS = ["public", "public", "public", "hidden", "pg_catalog", "public'; --"]
_HEADERS = {
    "Prefer": st.lists(_preference | _preference | _plain, min_size=1, max_size=4).map(", ".join),
    "Accept": st.sampled_from([*_ACCEPTED, *_ACCEPTED, *_REFUSED]) | _plain,
    "Content-Type": st.sampled_from(["application/json"] * 5 + _SENT) | _plain,
    "Range": st.sampled_from(["0-1", "5-2", "3-", "-3", "items=0-1", "9" * 30 + "-"]) | _plain,
    "Accept-Profile": st.sampled_from(_SCHEMAS),
    "Content-Profile": st.sampled_from(_SCHEMAS),
    "Cookie": st.sampled_from(["a=b; c", ";;=", "a=\u00ff"]) | _plain,
    "X-Custom": _plain,
}
_TABLE_METHODS = ["GET"] * 4 + ["POST"] * 3 + ["PATCH"] * 2 + ["DELETE", "PUT", "HEAD", "OPTIONS", "TRACE", "FROB"]
_CALL_METHODS = ["GET"] * 3 + ["POST"] * 4 + ["HEAD", "OPTIONS", "DELETE", "FROB"]
_USUAL = [None, None, "anon", "user", "user", "service"]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any request, well-formed as HTTP; most could come from a client."""
    target = draw(_target())
    method = draw(st.sampled_from(_CALL_METHODS if target.startswith("rpc") else _TABLE_METHODS))
    has_body = method in {"POST", "PATCH", "PUT"} or draw(st.integers(0, 30)) == 0
    names = draw(st.lists(st.sampled_from(["Prefer", "Prefer", *_HEADERS]), max_size=3, unique=True))
    authorization = st.sampled_from(_USUAL)
    if draw(st.integers(0, 6)) == 0:
        authorization = st.sampled_from(AUTHORIZATIONS) | _plain.map("Bearer {}".format)
    return Request(
        method,
        target,
        {name: draw(_HEADERS[name]) for name in names},
        draw(authorization),
        draw(_body) if has_body else None,
    )
