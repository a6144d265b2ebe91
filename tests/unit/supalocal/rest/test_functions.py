"""Which function a call means."""

import pytest

from supalocal.rest.errors import RestError
from supalocal.rest.functions import choose_function
from supalocal.rest.schema import Function, Name, Parameter

F = Name("public", "f")


def function(*parameters: str, name: Name = F) -> Function:
    """A function of parameters such as `a`, `b?` (has a default) and `:json` (unnamed)."""
    made = []
    for parameter in parameters:
        called, _, kind = parameter.rstrip("?").partition(":")
        made.append(Parameter(called, kind or "integer", kind or "integer", not parameter.endswith("?"), False))
    return Function(name, tuple(made), Name("pg_catalog", "int4"), False, False, False)


def chosen(overloads, arguments, body_type=None) -> Function:
    return choose_function({F: tuple(overloads)}, F, arguments, body_type)


def refusal(overloads, arguments, body_type=None) -> RestError:
    with pytest.raises(RestError) as caught:
        chosen(overloads, arguments, body_type)
    return caught.value


def test_by_the_set_of_names():
    """The overload with exactly these parameters is meant."""
    one, two = function("a"), function("a", "b")
    assert chosen([one, two], ["b", "a"]) is two


def test_defaults_may_be_left_out():
    """A parameter with a default need not be given."""
    assert chosen([function("a", "b?")], ["a"])


def test_a_whole_body_is_the_last_resort():
    """A single unnamed json parameter takes a body that fits no names."""
    whole = function(":json")
    assert chosen([whole], ["x", "y"], "application/json") is whole


def test_a_whole_body_needs_post():
    """A GET has no body to take whole."""
    assert refusal([function(":json")], ["x"]).code == "PGRST202"


def test_too_many_arguments_are_refused():
    """An argument that no parameter has is not dropped."""
    assert refusal([function("a")], ["a", "b"]).code == "PGRST202"


def test_two_that_fit_are_ambiguous():
    """Overloads that differ only in types cannot be told apart."""
    error = refusal([function("a:integer"), function("a:text")], ["a"])
    assert (error.status, error.code) == (300, "PGRST203")


def test_the_hint_names_the_parameters():
    """A near miss is helped with the parameters there are."""
    assert refusal([function("a", "b")], ["a"]).hint == "Perhaps you meant to call the function public.f(a, b)"


def test_unlike_names_are_not_suggested():
    """Names that the caller did not nearly know stay unsaid."""
    other = Name("public", "secret_payroll")
    with pytest.raises(RestError) as caught:
        choose_function({other: (function("a", name=other),)}, Name("public", "nosuch"), [], None)
    assert caught.value.hint is None
