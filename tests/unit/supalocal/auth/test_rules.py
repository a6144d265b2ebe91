"""What an address, a number, a password and a ban must look like."""

from datetime import timedelta

import pytest

from supalocal.auth.errors import AuthError
from supalocal.auth.rules import ban_duration, require_strong, valid_email, valid_phone


@pytest.mark.parametrize("email", ["a@b", "First.Last+tag@Example.co.uk", "o'neil@x-y.example"])
def test_an_address_is_kept_in_lower_case(email):
    """Anything that may stand before and behind an @."""
    assert valid_email(email) == email.lower()


@pytest.mark.parametrize(
    "email", ["a", "@b", "a@", "a b@c.d", "a@b..c", "a@-b.c", "a@b\n", "é@b.c", f"{'x' * 251}@b.cd"]
)
def test_what_is_no_address_is_refused(email):
    """Also what only looks like one."""
    with pytest.raises(AuthError, match="email address"):
        valid_email(email)


@pytest.mark.parametrize("phone", ["+1 555 0100", "15550100", " +15550100"])
def test_a_number_is_kept_as_digits(phone):
    """Without the plus and the blanks."""
    assert valid_phone(phone) == "15550100"


@pytest.mark.parametrize("phone", ["", "0123", "abc", "1" * 16, "+1-555"])
def test_what_is_no_number_is_refused(phone):
    """In the words of the real server."""
    with pytest.raises(AuthError, match=r"Invalid phone number format \(E.164 required\)"):
        valid_phone(phone)


def test_the_length_of_a_password_is_counted_in_bytes():
    """As bcrypt counts it."""
    require_strong("ééé", minimum=6)
    with pytest.raises(AuthError, match="Password cannot be longer than 72 characters"):
        require_strong("é" * 37, minimum=6)
    with pytest.raises(AuthError, match=r"Password should be at least 7 characters\."):
        require_strong("ééé", minimum=7)


@pytest.mark.parametrize(
    ("text", "length"),
    [("none", None), ("24h", timedelta(days=1)), ("1h30m", timedelta(minutes=90)), ("1.5s", timedelta(seconds=1.5))],
)
def test_a_ban_lasts_as_long_as_go_says(text, length):
    """Go's notation of durations."""
    assert ban_duration(text) == length


@pytest.mark.parametrize("text", ["", "1", "1 h", "for ever", "1d", "9999999999h"])
def test_what_is_no_duration_is_refused(text):
    """Named in the message."""
    with pytest.raises(AuthError, match="invalid format for ban duration"):
        ban_duration(text)
