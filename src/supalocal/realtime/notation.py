"""Writes terms as Elixir's `inspect` does: the server's error texts hold lists, tuples and maps in that notation."""

from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = 80
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\a": "\\a", "\b": "\\b"}


def inspect(term: Any) -> str:
    """Return the term's notation; longer than 80 columns it is broken over lines."""
    return _render(term, 0)


def _render(term: Any, column: int) -> str:
    flat = _flat(term)
    if column + len(flat) <= WIDTH or not isinstance(term, list | tuple | dict):
        return flat
    opening, items, closing = _parts(term)
    if _is_simple(term):
        return opening + _filled([_flat(item) for item in items], column + len(opening)) + closing
    inner = [_entry(item, column + 2) for item in items]
    pad = "\n" + " " * (column + 2)
    return f"{opening}{pad}{f',{pad}'.join(inner)}\n{' ' * column}{closing}"


def _flat(term: Any) -> str:
    if term is None:
        return "nil"
    if isinstance(term, bool):
        return "true" if term else "false"
    if isinstance(term, str):
        return _quote(term)
    if isinstance(term, list | tuple | Mapping):
        opening, items, closing = _parts(term)
        return opening + ", ".join(_entry(item, None) for item in items) + closing
    return str(term)


def _quote(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(char, char) for char in text).replace("#{", "\\#{") + '"'


class _Pair(tuple[Any, Any]):
    __slots__ = ()


def _parts(term: Any) -> tuple[str, Iterable[Any], str]:
    if isinstance(term, Mapping):
        return "%{", [_Pair(item) for item in sorted(term.items())], "}"
    return ("{", term, "}") if isinstance(term, tuple) else ("[", term, "]")


def _entry(item: Any, column: int | None) -> str:
    if isinstance(item, _Pair):
        return f"{_flat(item[0])} => {_flat(item[1])}"
    return _flat(item) if column is None else _render(item, column)


def _is_simple(term: Any) -> bool:
    """Say whether lines are filled rather than one item put on each: so for lists and tuples without containers."""
    return not isinstance(term, Mapping) and not any(isinstance(item, list | tuple | dict) for item in term)


def _filled(items: list[str], column: int) -> str:
    text, position = "", column
    for number, item in enumerate(items):
        if number and position + len(item) + 2 > WIDTH:
            text, position = f"{text},\n{' ' * column}{item}", column + len(item)
        else:
            text, position = (f"{text}, {item}", position + len(item) + 2) if number else (item, column + len(item))
    return text
