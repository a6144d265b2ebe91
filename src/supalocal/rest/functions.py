"""Which function a call means: chosen by name and by the set of its argument names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supalocal.rest.errors import RestError, SchemaError
from supalocal.rest.suggestions import NAME_SCORE, USUAL_SCORE, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supalocal.rest.schema import Function, Name

# The type of a single unnamed parameter that takes a whole body of a content type.
_WHOLE_BODY = {
    "application/json": {"json", "jsonb"},
    "text/plain": {"text"},
    "text/xml": {"xml"},
    "application/octet-stream": {"bytea"},
}
_SINGLE_ONLY = {"text/plain": "text", "text/xml": "xml", "application/octet-stream": "bytea"}


def choose_function(
    functions: Mapping[Name, tuple[Function, ...]], name: Name, arguments: Sequence[str], body_type: str | None
) -> Function:
    """The one function that takes exactly these arguments; raises PGRST202 or PGRST203. GET has no `body_type`."""
    overloads = functions.get(name, ())
    named = [function for function in overloads if _takes(function, frozenset(arguments), body_type)]
    candidates = named or [function for function in overloads if _takes_whole_body(function, body_type)]
    if not candidates:
        raise _not_found(functions, name, sorted(set(arguments)), body_type)
    if len(candidates) > 1:
        raise _ambiguous(candidates)
    return candidates[0]


def _takes(function: Function, arguments: frozenset[str], body_type: str | None) -> bool:
    if not function.parameters:
        return not arguments and body_type not in _SINGLE_ONLY
    required = {parameter.name for parameter in function.parameters if parameter.required}
    return required <= arguments <= {parameter.name for parameter in function.parameters}


def _takes_whole_body(function: Function, body_type: str | None) -> bool:
    if len(function.parameters) != 1:
        return False
    return function.parameters[0].type in _WHOLE_BODY.get(body_type or "", ())


def _ambiguous(candidates: Sequence[Function]) -> RestError:
    signatures = ", ".join(
        f"{function.name.schema}.{function.name.name}"
        f"({', '.join(f'{parameter.name} => {parameter.type}' for parameter in function.parameters)})"
        for function in candidates
    )
    return RestError(
        300,
        "PGRST203",
        f"Could not choose the best candidate function between: {signatures}",
        hint="Try renaming the parameters or the function itself in the database "
        "so function overloading can be resolved",
    )


def _not_found(
    functions: Mapping[Name, tuple[Function, ...]], name: Name, arguments: Sequence[str], body_type: str | None
) -> SchemaError:
    called = f"{name.schema}.{name.name}"
    whole_only = body_type in _SINGLE_ONLY
    listed = f"({', '.join(arguments)})" if arguments else " without parameters"
    message = f"Could not find the function {called}{'' if whole_only else listed} in the schema cache"
    details = f"Searched for the function {called}{_searched(arguments, body_type)}"
    hint = None if whole_only else _hint(functions, name, arguments)
    return SchemaError(404, "PGRST202", message, f"{details}, but no matches were found in the schema cache.", hint)


def _searched(arguments: Sequence[str], body_type: str | None) -> str:
    if body_type in _SINGLE_ONLY:
        return f" with a single unnamed {_SINGLE_ONLY[body_type]} parameter"
    plural = "s" if len(arguments) > 1 else ""
    by_name = f" with parameter{plural} {', '.join(arguments)}" if arguments else " without parameters"
    whole = " or with a single unnamed json/jsonb parameter" if body_type == "application/json" else ""
    return by_name + whole


def _hint(functions: Mapping[Name, tuple[Function, ...]], name: Name, arguments: Sequence[str]) -> str | None:
    if overloads := functions.get(name):
        lists = [f"({', '.join(sorted(p.name for p in function.parameters))})" for function in overloads]
        found = nearest(f"({', '.join(arguments)})", lists, USUAL_SCORE)
        found = name.name + found if found else None
    else:
        found = nearest(name.name, [other.name for other in functions if other.schema == name.schema], NAME_SCORE)
    return f"Perhaps you meant to call the function {name.schema}.{found}" if found else None
