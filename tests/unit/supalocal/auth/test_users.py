"""Users as rows and as JSON."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from supalocal.auth.rendering import rendered_user
from supalocal.auth.users import User, merged

LONG_AGO = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
NOBODY = dict.fromkeys(User.__dataclass_fields__)


def user(**members):
    known = {"id": UUID(int=1), "app_metadata": {}, "user_metadata": {}, "created_at": LONG_AGO, "updated_at": LONG_AGO}
    return User(**{**NOBODY, **known, **members})


def test_what_is_empty_is_left_out():
    """But for what clients expect of every user; the list of users has no identities."""
    shown = rendered_user(user(aud="a", role="r", email="", phone="", is_anonymous=False))
    assert shown == {
        "id": "00000000-0000-0000-0000-000000000001",
        "aud": "a",
        "role": "r",
        "email": "",
        "phone": "",
        "app_metadata": {},
        "user_metadata": {},
        "identities": None,
        "created_at": "2024-01-02T03:04:05Z",
        "updated_at": "2024-01-02T03:04:05Z",
        "is_anonymous": False,
    }


def test_moments_are_utc_without_trailing_zeros():
    """As Go writes them, whatever the database's time zone."""
    moment = datetime(2024, 1, 2, 3, 4, 5, 120000, tzinfo=timezone(timedelta(hours=5)))
    assert rendered_user(user(last_sign_in_at=moment))["last_sign_in_at"] == "2024-01-01T22:04:05.12Z"


def test_metadata_is_merged_by_members():
    """Null removes a member that is named, and only that one."""
    assert merged({"a": 1, "b": 2, "c": None}, {"b": None, "d": 4}) == {"a": 1, "c": None, "d": 4}
