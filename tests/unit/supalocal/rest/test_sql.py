"""SQL is built from quoted names and parameters only."""

import re
from dataclasses import replace

import pytest

from supalocal.rest.configuration import Configuration
from supalocal.rest.errors import RestError
from supalocal.rest.plan import make_plan
from supalocal.rest.request import RawRequest, parse_payload, parse_request
from supalocal.rest.schema import Cardinality, Function, Name, Parameter, Relationship, Schema, Table, TableColumn
from supalocal.rest.sql import Statement, main_statement, quoted, settings_statement
from supalocal.rest.sql.text import array_literal, type_name

ITEMS, SHELVES = Name("public", "items"), Name("public", "shelves")
COLUMNS = {
    name: TableColumn(name, kind, None)
    for name, kind in [("id", "integer"), ("name", "text"), ("data", "jsonb"), ("shelf_id", "integer")]
}
TO_SHELF = Relationship(ITEMS, SHELVES, Cardinality.MANY_TO_ONE, "items_shelf", (("shelf_id", "id"),))
TO_ITEMS = Relationship(SHELVES, ITEMS, Cardinality.ONE_TO_MANY, "items_shelf", (("id", "shelf_id"),))
ADD = Function(
    Name("public", "add"),
    tuple(Parameter(name, "integer", "integer", required=True, variadic=False) for name in "ab"),
    Name("pg_catalog", "int4"),
    returns_set=False,
    returns_rows=False,
    is_volatile=False,
)
SCHEMA = Schema(
    tables={ITEMS: Table(ITEMS, COLUMNS, ("id",)), SHELVES: Table(SHELVES, COLUMNS, ("id",))},
    relationships={ITEMS: (TO_SHELF,), SHELVES: (TO_ITEMS,)},
    functions={ADD.name: (ADD,)},
)
EVIL = "x'); drop table items; --"


def built(
    method: str, path: str, query: str = "", body: bytes = b"", schema: Schema = SCHEMA, **headers: str
) -> Statement:
    raw = RawRequest(method, path, query, headers, (headers.pop("prefer"),) if "prefer" in headers else (), body)
    asked = parse_request(raw, schema.configuration, ())
    plan = make_plan(replace(asked, payload=parse_payload(asked, body)), schema)
    return main_statement(plan, count=False)


def skeleton(text: str) -> str:
    """The SQL without what stands in double quotes, where anything is harmless."""
    return re.sub(r'"(?:[^"]|"")*"', "_", text)


@pytest.mark.parametrize(
    "query",
    [
        f"name=eq.{EVIL}",
        f'name=in.(a,"{EVIL}")',
        f"name=like.{EVIL}",
        f"name=isdistinct.{EVIL}",
        f"name=cs.{EVIL}",
        f"name=not.fts.{EVIL}",
        f'or=(name.eq."{EVIL}")',
        f"data->>{EVIL.replace(')', '').replace('-', '')}=eq.1",
    ],
)
def test_values_are_parameters(query):
    """No value of a filter, however evil, is part of the SQL."""
    statement = built("GET", "items", query.replace(";", "%3B"))
    assert "drop table" not in statement.text
    assert any("drop table" in (value or "") for value in statement.values)


@pytest.mark.parametrize(
    "query",
    [
        'select="x\\"; drop table items; --"',
        'select="a\\" from secrets; --":name',
        'order="x\\"; drop table items; --"',
        '"x\\"; drop table items; --"=eq.1',
        'select=name,"b\\"; drop table items; --":shelves(id)',
    ],
)
def test_names_are_quoted(query):
    """A name, however evil, stays inside its quotes."""
    assert "drop table" not in skeleton(built("GET", "items", query.replace(";", "%3B")).text)


def test_a_cast_cannot_open_a_string():
    """Dollar signs, the one quoting that the grammar of casts lets through, are quoted away."""
    text = built("GET", "items", 'select=id::text $$,"$$) from secrets %2D%2D"').text
    assert "$$" not in skeleton(text)


def test_a_body_is_one_parameter():
    """The rows of an insert travel as one JSON text."""
    statement = built("POST", "items", body=b'{"name": "x\'); drop table items; --"}')
    assert "drop table" not in statement.text


def test_arguments_are_parameters():
    """Arguments of a call by GET are values with the parameter's type."""
    statement = built("GET", "rpc/add", f"a={EVIL.replace(';', '%3B')}&b=2")
    assert ('"a" := $1::integer' in statement.text, statement.values[:2]) == (True, (EVIL, "2"))


def test_equal_shapes_are_equal_text():
    """Requests that differ only in values share their text, so that it can be prepared."""
    assert built("GET", "items", "id=eq.1").text == built("GET", "items", "id=eq.2").text


def test_a_name_with_quotes_means_itself():
    """Quotes in a name are doubled."""
    assert quoted('a"b') == '"a""b"'


def test_a_name_ends_at_nul():
    """PostgreSQL's names cannot hold NUL."""
    assert quoted("a\0b") == '"a"'


def test_an_array_literal_escapes():
    """Quotes and backslashes are escaped in array literals."""
    assert array_literal(['a"b', "c\\d", ""]) == '{"a\\"b","c\\\\d",""}'


def test_plain_types_stay_words():
    """Keywords that name types work only without quotes."""
    assert type_name("double precision") == "double precision"


def test_settings_are_parameters():
    """Setting names and values are both parameters, local to the transaction."""
    assert settings_statement([("role", EVIL)]) == Statement("select set_config($1, $2, true)", ("role", EVIL))


def test_a_write_without_representation_returns_nothing_of_the_row():
    """return=minimal needs no right to read."""
    assert "returning 1" in built("PATCH", "items", "id=eq.1", b'{"name": "x"}').text


def test_logic_of_an_embed_restricts_what_is_written():
    """As in PostgREST, but a plain filter of an embed does not."""
    text = built("DELETE", "items", "select=shelves(id)&shelves.or=(id.eq.1,id.eq.2)&shelves.name=eq.a").text
    assert text.startswith(
        'with pgrst_source as (delete from "public"."items" '
        'where ("public"."items"."id" = $1 or "public"."items"."id" = $2) returning 1)'
    )


def test_one_of_a_set_of_values_is_a_row():
    """An object out of many bare values has the value as its only member."""
    schema = replace(SCHEMA, functions={ADD.name: (replace(ADD, returns_set=True),)})
    one = built("GET", "rpc/add", "a=1&b=2", schema=schema, accept="application/vnd.pgrst.object+json")
    assert "coalesce(json_agg(_postgrest_t)->0, 'null')" in one.text


def test_an_embed_is_a_lateral_join():
    """An embed joins on its key."""
    text = built("GET", "items", "select=name,shelves(name)").text
    assert '"shelves_1"."id" = "public"."items"."shelf_id"' in text


def test_a_gathered_spread_names_every_column():
    """Those of a spread inside it too, since each is gathered by itself."""
    text = built("GET", "shelves", "select=...items(name,...shelves(*))").text
    names = ["name", "id", "name", "data", "shelf_id"]
    assert re.findall(r'json_agg\("shelves_items_1"\."(\w+)"', text) == names


def test_a_spread_names_even_an_embed_without_columns():
    """So that it fails here too, as it does with PostgREST."""
    text = built("GET", "items", "select=...shelves(name,items())").text
    assert text.startswith('with pgrst_source as (select "items_shelves_1"."name", "items_shelves_1"."items" from')


@pytest.mark.parametrize(
    ("parameters", "order"),
    [
        ("", "abc"),
        ("&b.id=eq.1", "bac"),
        ("&b.id=eq.1&c.id=eq.1", "bca"),
        ("&b.order=id&c.id=eq.1", "bca"),
        ("&b.id=eq.1&c.or=(id.eq.1)", "cba"),
        ("&c.limit=1", "cab"),
    ],
)
def test_embeds_that_parameters_speak_of_come_first(parameters, order):
    """PostgREST puts an embed at the front whenever it adds something to it."""
    text = built("GET", "items", f"select=id,a:shelves(id),b:shelves(id),c:shelves(id){parameters}").text
    assert "".join(re.findall(r'::jsonb as "(\w)"', text)) == order


def test_trees_stand_before_single_conditions():
    """Of two conditions that fail, PostgreSQL tells the first."""
    text = built("GET", "items", "id=eq.1&or=(name.eq.a,name.eq.b)").text
    assert re.search(r'where \(.* or .*\) and "public"\."items"\."id" = ', text)


def test_a_gathered_spread_is_sorted_after_its_limit():
    """The rows are limited as they come, and each list of values is sorted by itself."""
    text = built("GET", "shelves", "select=...items(name)&items.order=id.desc&items.limit=2").text
    assert '"items_1"."id" as "shelves_items_1_id_1" from' in text
    assert 'json_agg("shelves_items_1"."name" order by "shelves_items_1"."shelves_items_1_id_1" DESC)' in text
    assert 'where "items_1"."shelf_id" = "public"."shelves"."id" limit' in text


GENEROUS = replace(SCHEMA, configuration=Configuration(aggregates=True, plans=True))


def test_an_aggregate_groups_by_the_other_columns():
    """By their names, or their aliases."""
    text = built("GET", "items", "select=shelf:shelf_id,name,id.sum()::text", schema=GENEROUS).text
    assert 'cast(sum("public"."items"."id") as text) from' in text
    assert 'group by "shelf", "public"."items"."name"' in text


def test_an_aggregate_in_a_spread_is_computed_around_it():
    """A to-one spread lends its columns; the rows are those of the table around."""
    text = built("GET", "items", "select=...shelves(name,count())", schema=GENEROUS).text
    assert 'select "items_shelves_1"."name", count("items_shelves_1"."count") as "count" from "public"."items"' in text
    assert 'group by "items_shelves_1"."name"' in text


@pytest.mark.parametrize("query", ["select=count()", "select=shelves(id.max())", "select=...shelves(count())"])
def test_aggregates_are_off_at_first(query):
    """As on hosted, wherever they stand."""
    with pytest.raises(RestError, match="Use of aggregate functions is not allowed"):
        built("GET", "items", query)


def test_a_plan_is_the_same_statement_explained():
    """With the options that PostgreSQL knows, and no others."""
    wanted = 'application/vnd.pgrst.plan+json; for="application/json"; options=analyze|wal|; drop table items;'
    text = built("GET", "items", schema=GENEROUS, accept=wanted).text
    assert text == "explain (format json, analyze, wal) " + built("GET", "items", schema=GENEROUS).text
