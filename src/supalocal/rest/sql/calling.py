"""Function calls as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supalocal.rest.sql.payload import BODY, Payloads
from supalocal.rest.sql.text import Values, array_literal, qualified, quoted, reference

if TYPE_CHECKING:
    from supalocal.rest.plan import Call


class Calling:
    """Writes calls; their values go to `values`."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._payloads = Payloads(values)

    def call(self, call: Call) -> str:
        function = call.function
        if function.returns_scalar:
            shown = "pgrst_call.pgrst_scalar"
        else:
            shown = ", ".join(reference("pgrst_call", name) for name in call.returning) or "*"
        return f"select {shown} {self._called(call)}"

    def _called(self, call: Call) -> str:
        parameters = [parameter for parameter in call.function.parameters if parameter.name in call.given]
        if len(call.function.parameters) == 1 and not call.function.parameters[0].name:
            text = call.payload.text if call.payload else None
            return f"from {_invoked(call, f'{self._values.add(text)}::{call.function.parameters[0].type}')}"
        if not parameters:
            return f"from {_invoked(call, '')}"
        if call.arguments is not None:
            given = ", ".join(self._argument(call, parameter.name) for parameter in parameters)
            return f"from {_invoked(call, given)}"
        typed = [(parameter.name, parameter.cast) for parameter in parameters]
        is_object = bool(call.payload and call.payload.is_object)
        text = call.payload.text if call.payload else None
        rows = self._payloads.rows(text, typed, is_object=is_object, first_only=True)
        given = ", ".join(
            f"{'variadic ' if p.variadic else ''}{quoted(p.name)} := {reference(qualified(BODY), p.name)}"
            for p in parameters
        )
        return f"{rows}, lateral {_invoked(call, given)}"

    def _argument(self, call: Call, name: str) -> str:
        parameter = next(parameter for parameter in call.function.parameters if parameter.name == name)
        given = (call.arguments or {})[name]
        text = given if isinstance(given, str) else array_literal(given)
        prefix = "variadic " if parameter.variadic else ""
        return f"{prefix}{quoted(name)} := {self._values.add(text)}::{parameter.cast}"


def _invoked(call: Call, given: str) -> str:
    invoked = f"{qualified(call.function.name)}({given})"
    if call.function.returns_scalar:
        return f"(select {invoked} pgrst_scalar) pgrst_call"
    return f"{invoked} pgrst_call"
