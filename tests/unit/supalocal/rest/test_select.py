"""`select=` is read as PostgREST reads it."""

import pytest

from supalocal.rest.combinators import GrammarError
from supalocal.rest.fields import Field, JsonStep
from supalocal.rest.select import Column, Embed, parse_select


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(GrammarError) as caught:
        parse_select(text)
    return caught.value.message, caught.value.details


def test_columns_keep_their_order():
    """Columns come back in the order in which they stand."""
    assert parse_select("b, a") == (Column(Field("b")), Column(Field("a")))


def test_nothing_selects_nothing():
    """An empty select is no columns; the reader decides what that means."""
    assert parse_select("") == ()


def test_alias_and_cast():
    """`alias:column::type` renames and casts."""
    assert parse_select("total:price::text") == (Column(Field("price"), alias="total", cast="text"),)


def test_quoted_names_hold_reserved_characters():
    """Double quotes let a name hold commas, dots and parentheses."""
    assert parse_select('"a,b.c(d)"') == (Column(Field("a,b.c(d)")),)


def test_a_quote_in_a_name_is_escaped_with_a_backslash():
    r"""`\"` inside quotes is a quote of the name."""
    assert parse_select(r'"a\"b"') == (Column(Field('a"b')),)


def test_json_path():
    """Arrows lead into JSON by key and by index."""
    path = (JsonStep("a", is_index=False, as_text=False), JsonStep("+0", is_index=True, as_text=True))
    assert parse_select("data->a->>0") == (Column(Field("data", path)),)


def test_a_path_is_called_by_its_last_key():
    """The result key of a path is its last key, not its last index."""
    assert parse_select("data->a->0")[0].field.result_key == "a"


def test_embed_with_alias_hint_and_inner():
    """`alias:rel!hint!inner(...)` embeds."""
    assert parse_select("a:rel!fk!inner(id)") == (Embed("rel", (Column(Field("id")),), "a", "fk", inner=True),)


def test_spread():
    """Three dots lift the columns of an embed."""
    assert parse_select("...rel(id)") == (Embed("rel", (Column(Field("id")),), spread=True),)


def test_empty_embed():
    """`rel()` embeds nothing, to filter by it."""
    assert parse_select("rel()") == (Embed("rel", ()),)


def test_aggregates():
    """Aggregates are recognised, so that they can be refused by name."""
    assert [column.aggregate for column in parse_select("count(),price.sum(),price.max()")] == ["count", "sum", "max"]


@pytest.mark.parametrize(
    ("text", "column", "details"),
    [
        ("id,!name", 4, 'unexpected "!" expecting "...", field name (* or [a..z0..9_$]), "*" or "count()"'),
        ("name::", 7, "unexpected end of input expecting letter or digit"),
        ("data->>--3", 9, 'unexpected "-" expecting digit'),
        ('name::"text"', 7, r'unexpected "\"" expecting letter or digit'),
        ("name::€", 7, r'unexpected "\8364" expecting letter or digit'),
        ("name::\x7f", 7, r'unexpected "\DEL" expecting letter or digit'),
        ("name::\n", 7, r'unexpected "\n" expecting letter or digit'),
        ('"name', 6, r'unexpected end of input expecting "\\" or "\""'),
        ("id::a'", 6, r"""unexpected '\'' expecting letter, digit, ".", "::", ")", "," or end of input"""),
    ],
)
def test_refusals_speak_as_parsec(text, column, details):
    """A refusal names the place and what could have stood there, in Parsec's words."""
    message = f'"failed to parse select parameter ({text})" (line 1, column {column})'
    assert refusal(text) == (message, details)


def test_what_follows_a_closing_parenthesis_is_ignored():
    """PostgREST reads no further, and neither do we."""
    assert parse_select("id) from secrets --") == (Column(Field("id")),)


@pytest.mark.parametrize("text", ["id;drop table x", "id'", 'a"b', "id--", "rel(id", "a::text'", "a,,b", "a=b"])
def test_sql_is_no_select(text):
    """Text that would mean something in SQL is not part of the grammar."""
    refusal(text)
