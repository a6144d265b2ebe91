"""The grammar of a `postgres_changes` binding and its filter, and the texts of what is wrong with them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from supalocal.realtime.join import binding_id
from supalocal.realtime.notation import inspect


class Operator(StrEnum):
    """What a filter may ask of a column."""

    EQ = "eq"
    NEQ = "neq"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    LIKE = "like"
    ILIKE = "ilike"
    IS = "is"
    MATCH = "match"
    IMATCH = "imatch"
    IS_DISTINCT = "isdistinct"


EVENTS = frozenset({"INSERT", "UPDATE", "DELETE"})
_NO_TARGET = "No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: "
_TOKENS = frozenset({"user_token", "auth_token"})
"""Keys of a binding whose values no error text repeats."""
_BAD_SELECT = 'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]'
_WILDCARD_SELECT = (
    "Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name."
)
_EMPTY_SEGMENT = "filter must not contain empty segments (check for extra commas)"
_IN_WITHOUT_PARENTHESES = "`in` filter value must be wrapped by parentheses"


class BindingError(ValueError):
    """A binding that does not parse; its text goes to the client as it is."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on one column; `value` is what stands right of the operator, `in` lists as array literals."""

    column: str
    operator: Operator
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """What one entry of `postgres_changes` selects. `event` is `*` for all; `select` None means every column."""

    id: int
    event: str
    schema: str
    table: str
    filters: tuple[Filter, ...] = ()
    select: tuple[str, ...] | None = None

    def describe(self) -> str:
        """Return the binding as the server's error texts name it."""
        filters = [(f.column, f.operator.value, f.value, f.negated) for f in self.filters]
        select = None if self.select is None else list(self.select)
        target = f"event: {self.event}, schema: {self.schema}, table: {self.table}"
        return f"[{target}, filters: {inspect(filters)}, select: {inspect(select)}]"


def parse_binding(raw: dict[str, Any]) -> Binding:
    """Return the binding; BindingError with the server's text when it does not parse."""
    select = _select(raw)
    schema, table = _target(raw)
    filters = parse_filter(raw["filter"]) if "filter" in raw else ()
    if select and "*" in {schema, table}:
        raise BindingError(_WILDCARD_SELECT)
    event = str(raw.get("event")).upper()
    return Binding(binding_id(raw), event if event in EVENTS else "*", schema, table, filters, select)


def _select(raw: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the columns asked for; only a text is refused, and what else is no list asks for none."""
    asked = raw.get("select")
    if isinstance(asked, str):
        raise BindingError(_BAD_SELECT)
    columns = tuple(name for name in asked if isinstance(name, str)) if isinstance(asked, list) else ()
    return columns or None


def _target(raw: dict[str, Any]) -> tuple[str, str]:
    """Return the schema and the table; one of them may be left out, but not beside a filter."""
    given = {name: raw[name] for name in ("schema", "table", "filter") if name in raw}
    enough = {"schema", "table"} <= given.keys() if "filter" in given else bool(given)
    if not enough or not all(isinstance(value, str) for value in given.values()):
        raise BindingError(_NO_TARGET + ("<redacted>" if _TOKENS & raw.keys() else inspect(raw)))
    return given.get("schema", "public"), given.get("table", "*")


def parse_filter(text: str) -> tuple[Filter, ...]:
    """Return the conditions, all of which must hold; none for a blank text."""
    if not text.strip():
        return ()
    segments = [segment.strip() for segment in _segments(text)]
    if not all(segments):
        raise BindingError(f"Error parsing `filter` params: {_EMPTY_SEGMENT}")
    return tuple(_condition(segment) for segment in segments)


def _segments(text: str) -> list[str]:
    """Split at the commas that stand outside parentheses and quoted values."""
    segments, start, depth, quoted, escaped = [], 0, 0, False, False
    for at, char in enumerate(text):
        if quoted:
            quoted, escaped = char != '"' or escaped, char == "\\" and not escaped
        elif char == '"' and text[at - 1 : at] in {".", "(", ","}:
            quoted, escaped = True, False
        elif char in "()":
            depth = depth + 1 if char == "(" else max(depth - 1, 0)
        elif char == "," and not depth:
            segments.append(text[start:at])
            start = at + 1
    return [*segments, text[start:]]


def _condition(segment: str) -> Filter:
    column, equals, rest = segment.partition("=")
    if not equals:
        raise _unreadable([segment])
    negated = rest.startswith("not.")
    parts = rest.removeprefix("not.").split(".", 1)
    try:
        name, value = parts
        operator = Operator(name)
    except ValueError:
        raise _unreadable(parts) from None
    return Filter(column, operator, _value(operator, value), negated)


def _value(operator: Operator, text: str) -> str:
    if operator is not Operator.IN:
        return _unquote(text)
    if not (text.startswith("(") and text.endswith(")")):
        raise BindingError(f"Error parsing `filter` params: {_IN_WITHOUT_PARENTHESES}")
    return "{" + text[1:-1] + "}"


def _unquote(text: str) -> str:
    """Return what a value wholly in double quotes holds; any other value is literal."""
    if not text.startswith('"'):
        return text
    plain, escaped = [], False
    for at, char in enumerate(text[1:], start=1):
        if escaped or char not in '\\"':
            plain.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            return "".join(plain) if at == len(text) - 1 else text
    return text


def _unreadable(parts: list[str]) -> BindingError:
    return BindingError(f"Error parsing `filter` params: {inspect(parts)}")
