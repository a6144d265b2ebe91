"""Bindings and filters, and what is wrong with bad ones."""

import pytest

from supalocal.realtime.filters import BindingError, Filter, Operator, parse_binding, parse_filter


def table(**more):
    return {"schema": "public", "table": "t", **more}


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", []),
        ("  ", []),
        ("a=eq.1", [Filter("a", Operator.EQ, "1")]),
        ("a=not.gt.1", [Filter("a", Operator.GT, "1", negated=True)]),
        ("a=eq.x=y.z", [Filter("a", Operator.EQ, "x=y.z")]),
        (" a=eq.1 , b=lt.2 ", [Filter("a", Operator.EQ, "1"), Filter("b", Operator.LT, "2")]),
        ('a=in.(1,"x,y")', [Filter("a", Operator.IN, '{1,"x,y"}')]),
        ('a=eq."x,y",b=is.null', [Filter("a", Operator.EQ, "x,y"), Filter("b", Operator.IS, "null")]),
        ('a=eq."say \\"hi\\""', [Filter("a", Operator.EQ, 'say "hi"')]),
        ('a=eq."open', [Filter("a", Operator.EQ, '"open')]),
        ('a=eq."x"y', [Filter("a", Operator.EQ, '"x"y')]),
        ("a=match.(x,y)", [Filter("a", Operator.MATCH, "(x,y)")]),
        ("a=eq.", [Filter("a", Operator.EQ, "")]),
    ],
)
def test_a_filter_is_parsed(text, conditions):
    """Segments split at bare commas, conditions at the first = and the first dot."""
    assert parse_filter(text) == tuple(conditions)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("wrong", '["wrong"]'),
        ("a=eq", '["eq"]'),
        ("a=foo.hey", '["foo", "hey"]'),
        ("a=not.foo.x", '["foo", "x"]'),
        ("a=eq.1,", "filter must not contain empty segments (check for extra commas)"),
        ("a=in.1,2", "`in` filter value must be wrapped by parentheses"),
    ],
)
def test_a_bad_filter_is_refused(text, complaint):
    """The text names what could not be read."""
    with pytest.raises(BindingError) as refusal:
        parse_filter(text)
    assert str(refusal.value) == f"Error parsing `filter` params: {complaint}"


@pytest.mark.parametrize(
    ("raw", "event"), [(table(event="insert"), "INSERT"), (table(event="TRUNCATE"), "*"), (table(), "*")]
)
def test_unknown_events_mean_all(raw, event):
    """Event names are read in any case; others mean every event."""
    assert parse_binding(raw).event == event


@pytest.mark.parametrize(
    ("raw", "target"),
    [({"schema": "s"}, ("s", "*")), ({"table": "t"}, ("public", "t")), (table(filter="a=eq.1"), ("public", "t"))],
)
def test_a_target_may_be_partial(raw, target):
    """A schema alone means all its tables, a table alone one of public."""
    binding = parse_binding(raw)
    assert (binding.schema, binding.table) == target


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"event": "*"},
        {"schema": "s", "filter": "a=eq.1"},
        {"table": "t", "filter": "a=eq.1"},
        table(filter=None),
        table(filter=5),
    ],
)
def test_a_binding_without_target_is_refused(raw):
    """The text repeats the binding as Elixir writes it."""
    with pytest.raises(BindingError, match=r"^No subscription params provided\. .* %\{"):
        parse_binding(raw)


@pytest.mark.parametrize("name", ["user_token", "auth_token"])
def test_a_token_is_not_repeated(name):
    """A binding that holds one is refused without its content."""
    with pytest.raises(BindingError, match=r": <redacted>$"):
        parse_binding({"event": "*", name: "secret"})


def test_select_needs_an_explicit_table():
    """A choice of columns makes no sense for several tables."""
    with pytest.raises(BindingError, match="not supported for wildcard subscriptions"):
        parse_binding({"schema": "public", "select": ["id"]})


def test_select_must_be_a_list():
    """A string of columns is refused."""
    with pytest.raises(BindingError, match="expected a list of column name strings"):
        parse_binding(table(select="id"))


@pytest.mark.parametrize("select", [None, 5, {}, [], [None, 5]])
def test_a_selection_of_no_names_selects_everything(select):
    """Only a string is refused; numbers, objects and lists without a string count as absent."""
    assert parse_binding(table(select=select)).select is None


@pytest.mark.parametrize("raw", [{"select": "id"}, table(select="id", filter="wrong")])
def test_the_selection_is_read_first(raw):
    """Of several mistakes in one binding the one in `select` is told."""
    with pytest.raises(BindingError, match="expected a list of column name strings"):
        parse_binding(raw)


def test_the_filter_is_read_before_a_selection_is_refused():
    """A wildcard with `select` is told only of a binding that parses otherwise."""
    with pytest.raises(BindingError, match="Error parsing `filter` params"):
        parse_binding({"schema": "public", "table": "*", "select": ["id"], "filter": "wrong"})


def test_a_binding_describes_itself():
    """Error texts list event, target, filters and selection."""
    assert parse_binding(table(filter="a=not.eq.1", select=["a"])).describe() == (
        '[event: *, schema: public, table: t, filters: [{"a", "eq", "1", true}], select: ["a"]]'
    )
