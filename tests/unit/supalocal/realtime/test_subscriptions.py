import pytest

from supalocal.realtime.subscriptions import Snapshot

LATER = 1 << 32  # transaction numbers have 64 bits, the stream knows the low 32


@pytest.mark.parametrize(
    ("text", "xid", "expected"),
    [
        ("100:105:", 99, True),
        ("100:105:", 104, True),
        ("100:105:", 105, False),
        ("100:105:", 900, False),
        ("100:105:101,103", 101, False),
        ("100:105:101,103", 102, True),
        (f"{LATER}:{LATER + 5}:{LATER + 2}", 2, False),
        (f"{LATER}:{LATER + 5}:{LATER + 2}", 3, True),
        (f"{LATER}:{LATER + 5}:", 0xFFFFFFFE, True),
        (f"{LATER - 9}:{LATER - 2}:", 3, False),
    ],
)
def test_a_snapshot_knows_what_had_been_committed(text, xid, expected):
    """Also where the 32-bit number has wrapped around."""
    assert Snapshot.parse(text).sees(xid) is expected
