"""Rows of the log, and the payloads made of them."""

import json

import pytest

from supalocal.realtime.changes import NO_PRIMARY_KEY, TOO_LARGE, Change, Images, commit_timestamp, images, payload
from supalocal.realtime.pgoutput import UNCHANGED, Action, Begin, Relation, RelationColumn, RowChange
from supalocal.realtime.polls import LoggedChange
from supalocal.realtime.table import Column, Table

NAMES = ("id", "body")


def logged(action, *, new=None, old=None, full=False):
    columns = tuple(RelationColumn(name, 25, is_identity=full or name == "id") for name in NAMES)
    relation = Relation(1, "public", "t", has_full_identity=full, columns=columns)
    return LoggedChange(relation, RowChange(action, 1, new, old), Begin(0, 1), 10)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (logged(Action.INSERT, new=("1", None)), Images({"id": "1", "body": None}, {"id": "1", "body": None}, None)),
        (
            logged(Action.UPDATE, new=("1", "x")),
            Images({"id": "1", "body": "x"}, {"id": "1", "body": "x"}, {"id": "1"}),
        ),
        (
            logged(Action.UPDATE, new=("2", "x"), old=("1", None)),
            Images({"id": "2", "body": "x"}, {"id": "2", "body": "x"}, {"id": "1"}),
        ),
        (logged(Action.UPDATE, new=("1", UNCHANGED)), Images({"id": "1"}, {"id": "1"}, {"id": "1"})),
        (
            logged(Action.UPDATE, new=("1", UNCHANGED), old=("1", "big"), full=True),
            Images({"id": "1"}, {"id": "1", "body": "big"}, {"id": "1", "body": "big"}),
        ),
        (logged(Action.DELETE, old=("1", None)), Images({"id": "1"}, None, {"id": "1"})),
    ],
    ids=["insert", "update", "key changed", "unchanged value", "unchanged value, full identity", "delete"],
)
def test_images_follow_the_replica_identity(change, expected):
    """The old row holds the identity; an unchanged value is no filter's business."""
    assert images(change) == expected


def test_commit_timestamps_have_milliseconds():
    """Microseconds since 2000 become UTC with exactly three digits."""
    assert commit_timestamp(86_400_000_000 + 89_999) == "2000-01-02T00:00:00.089Z"


def change(action=Action.UPDATE, *, row_security=False, oversized=False, body='"x"'):
    columns = (Column("id", "int4", "integer", is_key=True), Column("body", "text", "text", is_key=False))
    table = Table(1, "public", "t", "public.t", has_row_security=row_security, columns=columns)
    record = {"id": "9007199254740993", "body": body}
    old = {"id": "1", "body": '"old"'}
    return Change(
        table,
        action,
        1,
        "2026-01-01T00:00:00.000Z",
        oversized,
        record,
        None if action is Action.DELETE else record,
        old,
    )


def test_a_payload_holds_the_allowed_columns():
    """Columns that the role may not read are nowhere; numbers keep their digits."""
    assert json.loads(payload(change(), {"id"})) == {
        "type": "UPDATE",
        "schema": "public",
        "table": "t",
        "commit_timestamp": "2026-01-01T00:00:00.000Z",
        "columns": [{"name": "id", "type": "int4"}],
        "record": {"id": 9007199254740993},
        "old_record": {"id": 1},
        "errors": None,
    }


def test_a_refused_payload_holds_nothing():
    """An error takes values, columns and time away."""
    data = json.loads(payload(change(), {"id", "body"}, NO_PRIMARY_KEY))
    assert (data["columns"], data["record"], data["old_record"]) == ([], {}, {})
    assert (data["commit_timestamp"], data["errors"]) == (None, [NO_PRIMARY_KEY])


def test_a_delete_under_row_security_shows_the_key():
    """Nobody checks who could see the deleted row, so only its key is told."""
    data = json.loads(payload(change(Action.DELETE, row_security=True), {"id", "body"}))
    assert data["old_record"] == {"id": 1}
    assert "record" not in data


def test_an_oversized_payload_keeps_short_values():
    """Columns stay, values past 64 bytes go, and the error says so."""
    data = json.loads(payload(change(oversized=True, body='"' + "x" * 63 + '"'), {"id", "body"}))
    assert (data["record"], data["errors"], len(data["columns"])) == ({"id": 9007199254740993}, [TOO_LARGE], 2)
