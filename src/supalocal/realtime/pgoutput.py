"""Decodes PostgreSQL's `pgoutput` messages (protocol version 1) into values; pure."""

import struct
from dataclasses import dataclass
from enum import StrEnum

_FULL_IDENTITY, _KEY_IDENTITY = "f", "d"
_KEY_FLAG = 1


class Unchanged:
    """Stands for an out-of-line value that the update left alone and the log therefore does not hold."""

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED = Unchanged()
Value = str | None | Unchanged


class Action(StrEnum):
    """What happened to a row."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """A column as the stream describes it; `is_identity` when the old row's image holds it."""

    name: str
    type_oid: int
    is_identity: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as of the changes that follow this message; sent again after every change of its definition.

    `has_key_identity` when the identity is the primary key, so that the columns' flags tell the key as it was then.
    """

    oid: int
    schema: str
    name: str
    has_full_identity: bool
    columns: tuple[RelationColumn, ...]
    has_key_identity: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction starts; `committed_at` counts microseconds since 2000-01-01 UTC, `xid` is its 32-bit number."""

    committed_at: int
    xid: int


@dataclass(frozen=True, slots=True)
class Note:
    """Somebody wrote into the log with `pg_logical_emit_message`; its text is passed over."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Commit:
    """The transaction is whole; `end` is the position after it in the log."""

    end: int


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row's change, values in text form, in the order of the relation's columns."""

    action: Action
    relation_oid: int
    new: tuple[Value, ...] | None = None
    old: tuple[Value, ...] | None = None


Message = Begin | Note | Commit | Relation | RowChange


class ProtocolError(ValueError):
    """The stream holds something that the pgoutput protocol, version 1, does not."""


class _Reader:
    """Walks through one message."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, shape: str) -> int:
        value: int
        (value,) = struct.unpack_from(shape, self._data, self._at)
        self._at += struct.calcsize(shape)
        return value

    def letter(self) -> str:
        self._at += 1
        return chr(self._data[self._at - 1])

    def text(self) -> str:
        end = self._data.index(b"\0", self._at)
        value = self._data[self._at : end].decode()
        self._at = end + 1
        return value

    def take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]

    @property
    def finished(self) -> bool:
        return self._at >= len(self._data)


def decode(data: bytes) -> Message | None:
    """Return what the message says, or None for kinds that carry no change of a row (truncate, origin, type)."""
    reader = _Reader(data)
    kind = reader.letter()
    match kind:
        case "B":
            return _begin(reader)
        case "M":
            return _note(reader)
        case "C":
            return _commit(reader)
        case "R":
            return _relation(reader)
        case "I" | "U" | "D":
            return _row_change(kind, reader)
        case "T" | "O" | "Y":
            return None
    raise ProtocolError(f"unknown pgoutput message {kind!r}")


def _begin(reader: _Reader) -> Begin:
    reader.number(">q")
    return Begin(reader.number(">q"), reader.number(">I"))


def _note(reader: _Reader) -> Note:
    reader.take(9)
    return Note(reader.text())


def _commit(reader: _Reader) -> Commit:
    reader.take(9)
    return Commit(reader.number(">q"))


def _relation(reader: _Reader) -> Relation:
    oid, schema, name, identity = reader.number(">I"), reader.text(), reader.text(), reader.letter()
    columns = tuple(_column(reader) for _ in range(reader.number(">H")))
    # An empty schema name means pg_catalog.
    return Relation(oid, schema or "pg_catalog", name, identity == _FULL_IDENTITY, columns, identity == _KEY_IDENTITY)


def _column(reader: _Reader) -> RelationColumn:
    flags, name, type_oid = reader.number(">B"), reader.text(), reader.number(">I")
    reader.number(">i")
    return RelationColumn(name, type_oid, bool(flags & _KEY_FLAG))


def _row_change(kind: str, reader: _Reader) -> RowChange:
    oid = reader.number(">I")
    images = {}
    while not reader.finished:
        letter = reader.letter()
        if letter not in "NKO":
            raise ProtocolError(f"unknown tuple kind {letter!r}")
        images["new" if letter == "N" else "old"] = _tuple(reader)
    action = {"I": Action.INSERT, "U": Action.UPDATE, "D": Action.DELETE}[kind]
    return RowChange(action, oid, images.get("new"), images.get("old"))


def _tuple(reader: _Reader) -> tuple[Value, ...]:
    return tuple(_value(reader) for _ in range(reader.number(">H")))


def _value(reader: _Reader) -> Value:
    match reader.letter():
        case "n":
            return None
        case "u":
            return UNCHANGED
        case "t":
            return reader.take(reader.number(">i")).decode()
        case letter:
            raise ProtocolError(f"unknown value kind {letter!r}")
