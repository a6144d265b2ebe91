"""When a schedule comes next."""

from datetime import UTC, datetime

import pytest

from supalocal.cron.schedule import Schedule

NOW = datetime(2026, 2, 27, 23, 59, 30, tzinfo=UTC)  # a Friday


def after(text, moment=NOW):
    return Schedule.parse(text).after(moment)


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("* * * * *", at(2026, 2, 28)),
        ("*/7 * * * *", at(2026, 2, 28)),
        ("5,30-40/5 3 * * *", at(2026, 2, 28, 3, 5)),
        ("0 0 1 * *", at(2026, 3, 1)),
        ("0 12 * jan-MAR mon", at(2026, 3, 2, 12)),
        ("0 12 * * 7", at(2026, 3, 1, 12)),
        ("0 0 29 2 *", at(2028, 2, 29)),
        ("  15\t4 *  * *  ", at(2026, 2, 28, 4, 15)),
    ],
)
def test_five_fields(text, due):
    """Minute, hour, day of the month, month, day of the week, as Vixie's cron reads them."""
    assert after(text) == due


def test_two_restricted_days_are_either():
    """The 1st, or a Tuesday, whichever comes first."""
    assert after("0 0 1 * tue") == at(2026, 3, 1)


def test_the_last_day_of_the_month():
    """pg_cron writes it as `$`."""
    assert after("0 6 $ * *") == at(2026, 2, 28, 6)
    assert after("0 6 $ * *", at(2028, 2, 28, 6)) == at(2028, 2, 29, 6)


def test_what_follows_the_fifth_field_is_ignored():
    """As by pg_cron, which does not know seconds in the first field either."""
    assert after("0 0 1 * * *") == at(2026, 3, 1)


def test_the_time_is_utc():
    """Whatever zone the moment is told in."""
    moment = datetime.fromisoformat("2026-02-28T01:30:00+02:00")
    assert after("0 0 * * *", moment) == at(2026, 2, 28)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("@yearly", at(2027, 1, 1)),
        ("@annually", at(2027, 1, 1)),
        ("@monthly", at(2026, 3, 1)),
        ("@weekly", at(2026, 3, 1)),
        ("@daily", at(2026, 2, 28)),
        ("@midnight", at(2026, 2, 28)),
        ("@hourly", at(2026, 2, 28)),
    ],
)
def test_names(text, due):
    """Each stands for five fields."""
    assert after(text) == due


@pytest.mark.parametrize(("text", "seconds"), [("30 seconds", 30), ("1 second", 1), (" 59  SECONDS ", 59)])
def test_seconds(text, seconds):
    """Counted from the last run, or from when the job was found."""
    assert (after(text) - NOW).total_seconds() == seconds


@pytest.mark.parametrize("text", ["@reboot", "@restart"])
def test_at_the_start(text):
    """Such a job is never due again."""
    schedule = Schedule.parse(text)
    assert (schedule.at_start, schedule.after(NOW)) == (True, None)


@pytest.mark.parametrize("text", ["", "5-1 * * * *", "0 0 30 2 *", "* * * *", "@never", "60 seconds", "0 0 L-3 * *"])
def test_what_never_comes(text):
    """Also what pg_cron takes and never runs."""
    assert after(text) is None
