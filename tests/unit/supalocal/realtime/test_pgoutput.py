"""Messages built byte by byte as PostgreSQL's documentation of the protocol lays them out."""

import struct

import pytest

from supalocal.realtime.pgoutput import (
    UNCHANGED,
    Action,
    Begin,
    Commit,
    Note,
    ProtocolError,
    Relation,
    RelationColumn,
    RowChange,
    decode,
)


def row(*values):
    parts = [struct.pack(">H", len(values))]
    for value in values:
        if value is None or value is UNCHANGED:
            parts.append(b"n" if value is None else b"u")
        else:
            parts.append(b"t" + struct.pack(">i", len(value.encode())) + value.encode())
    return b"".join(parts)


def test_begin():
    """Begin carries the commit time and the transaction's number."""
    assert decode(b"B" + struct.pack(">qqI", 7, 123, 42)) == Begin(123, 42)


def test_note():
    """A note in the log has a prefix; its text is passed over."""
    assert decode(b"M" + struct.pack(">bq", 1, 99) + b"prefix\0" + struct.pack(">i", 4) + b"text") == Note("prefix")


def test_commit():
    """Commit carries the position behind the transaction."""
    assert decode(b"C" + struct.pack(">bqqq", 0, 1, 99, 123)) == Commit(99)


def test_relation():
    """A relation names its columns and which of them the old row's image holds."""
    columns = b"\x01id\0" + struct.pack(">Ii", 23, -1) + b"\x00v\0" + struct.pack(">Ii", 25, -1)
    data = b"R" + struct.pack(">I", 16384) + b"public\0t\0d" + struct.pack(">H", 2) + columns
    expected = (RelationColumn("id", 23, is_identity=True), RelationColumn("v", 25, is_identity=False))
    assert decode(data) == Relation(
        16384, "public", "t", has_full_identity=False, columns=expected, has_key_identity=True
    )


def test_insert():
    """An insert has a new row; null and text differ."""
    assert decode(b"I" + struct.pack(">I", 5) + b"N" + row("1", None, "")) == (
        RowChange(Action.INSERT, 5, new=("1", None, ""))
    )


def test_update_with_unchanged_value():
    """An update may lack the old row, and values that were left alone out of line."""
    assert decode(b"U" + struct.pack(">I", 5) + b"N" + row("1", UNCHANGED)) == (
        RowChange(Action.UPDATE, 5, new=("1", UNCHANGED))
    )


@pytest.mark.parametrize("kind", [b"K", b"O"])
def test_update_with_old_row(kind):
    """The old row comes first, as key or whole."""
    data = b"U" + struct.pack(">I", 5) + kind + row("1", None) + b"N" + row("2", "ü")
    assert decode(data) == RowChange(Action.UPDATE, 5, new=("2", "ü"), old=("1", None))


def test_delete():
    """A delete has an old row only."""
    assert decode(b"D" + struct.pack(">I", 5) + b"K" + row("1")) == RowChange(Action.DELETE, 5, old=("1",))


@pytest.mark.parametrize("kind", [b"T", b"O", b"Y"])
def test_other_messages_change_no_row(kind):
    """Truncate, origin and type messages are passed over."""
    assert decode(kind + b"\0" * 12) is None


def test_an_unknown_message_is_an_error():
    """A later protocol is not guessed at."""
    with pytest.raises(ProtocolError):
        decode(b"S\0\0\0\0")
